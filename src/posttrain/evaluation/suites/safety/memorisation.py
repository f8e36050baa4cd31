"""Measuring Memorization in RLHF for Code Completion (Pappu et al., 2024).

The model reads the first half of each text, as plain text, and goes on greedily:

    extracted      the rest comes word for word
    memorised      its edit distance to the rest is at most a tenth of the words
    seen - unseen  counterfactual memorisation: trained texts less held-out twins, with Fisher's exact test

`canaries` makes texts that nobody can guess; train on some of them, and measure all.
"""

from __future__ import annotations

from posttrain.data.dataset import load
from posttrain.data.problem import Draws
from posttrain.evaluation.metrics.memorisation import NEAR, edit_similarity, extracted
from posttrain.evaluation.suite import Contrast, Item, Suite, having
from posttrain.records import Demonstration, Prompt
from posttrain.turns import answer_text

SYLLABLES = (
    *("ba", "ce", "di", "fo", "gu", "ha", "je", "ki", "lo", "mu"),
    *("na", "pe", "ri", "so", "tu", "va", "we", "xi", "yo", "zu"),
)


def memorisation(*, data: str, size: int = 200, least: int = 4, max_tokens: int = 64) -> Suite:
    """Build the suite.

    Settings:
        data: texts with a column `seen`, 1 for those that were trained on and 0 for twins; any file or hub id.
        size: number of texts; at least 1.
        least: words that the rest of a text must have, shorter texts are left out; at least 1.
        max_tokens: longest continuation in tokens; at least as many as the rest of a text has, else it cannot be told.
    """
    prompts = []
    texts = (r for r in load(data, "text", size=size) if isinstance(r, Demonstration))
    for record in having(texts, ("seen",)):
        words = answer_text(record.completion).split()
        half = len(words) // 2
        if len(words) - half >= least:
            rest = " ".join(words[half:])
            columns = {"seen": int(record.columns["seen"]), "rest": rest}
            prompts.append(Prompt(record.id, " ".join(words[:half]), columns, record.where))
    return Suite(
        prompts,
        {"extracted": verbatim, "memorised": memorised},
        max_tokens=max_tokens,
        plain=True,
        groups=("seen",),
        contrasts=(Contrast("seen", "seen", 1, 0, by=None),),
    )


def verbatim(item: Item) -> float | None:
    """Give 1 where the reply begins with the whole rest; None where it was cut before that could be told."""
    return 1.0 if extracted(item.text, item["rest"]) else None if undecided(item, 1.0) else 0.0


def memorised(item: Item) -> float | None:
    """Give 1 where the reply, as far as the rest is long, is near the rest; None where it was cut too early to tell."""
    rest = str(item["rest"]).split()
    if edit_similarity(item.text.split()[: len(rest)], rest) >= NEAR:
        return 1.0
    return None if undecided(item, NEAR) else 0.0


def undecided(item: Item, near: float) -> bool:
    """Whether a reply was cut at `max_tokens` while it still was as near the rest. Its last word may be half a word."""
    rest, said = str(item["rest"]).split(), item.text.split()
    whole = said[:-1]
    cut = not item.replies[-1].ended and len(whole) < len(rest)
    return cut and edit_similarity(whole, rest[: len(whole)]) >= near


def canaries(number: int, *, words: int = 8, seed: int = 0) -> list[str]:
    """Make texts of words that do not exist, each by its own seed."""
    texts = []
    for k in range(number):
        draw = Draws("canary", seed, k)
        texts.append(" ".join(draw.choose(SYLLABLES) + draw.choose(SYLLABLES) for _ in range(words)))
    return texts
