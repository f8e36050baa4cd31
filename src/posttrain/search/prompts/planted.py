"""A task whose best prompt is known: it holds all of some planted sentences. It stands in for models that answer.

A scripted speaker reads what is right and what is wrong here, so that a search can be tried without any model.
"""

from __future__ import annotations

from dataclasses import dataclass

from posttrain.seeds import seed_for

FILLERS = (
    "Thank you in advance.",
    "The weather is fine today.",
    "Some people like long prompts.",
    "This sentence means nothing.",
    "Remember the colour of the sky.",
)


@dataclass(frozen=True)
class Planted:
    """`sentences`: what a prompt should hold. `fillers`: what adds nothing."""

    sentences: tuple[str, ...]
    fillers: tuple[str, ...] = FILLERS

    def scores(self, prompt: str) -> dict[int, float]:
        """Return for each planted sentence whether the prompt holds it."""
        return {i: float(s in prompt) for i, s in enumerate(self.sentences)}

    def better(self, prompt: str, seed: int) -> str:
        """Return the prompt with one more planted sentence, one of those that it lacks."""
        lacking = [s for s in self.sentences if s not in prompt]
        return joined(prompt, lacking[seed_for(seed, prompt) % len(lacking)]) if lacking else prompt

    def worse(self, prompt: str) -> tuple[str, ...]:
        """Return prompts that are no better: with a filler at the end, or without the last planted sentence."""
        held = [s for s in self.sentences if s in prompt]
        lost = [" ".join(prompt.replace(held[-1], "").split())] if held else []
        return *(joined(prompt, f) for f in self.fillers), *lost


def joined(*sentences: str) -> str:
    """Return sentences as one text, a space between them."""
    return " ".join(s.strip() for s in sentences if s.strip())
