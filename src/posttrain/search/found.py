"""What a search has found: the tree of one prompt, and the nodes of its answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from posttrain.records import Episode, Prompt, Segment
from posttrain.search.tree import ROOT, Step, Tree


@dataclass(frozen=True)
class Found:
    """A tree, grown. `asked`: the tokens of its prompt; `answers`: the nodes of its answers, the best first."""

    prompt: Prompt
    asked: tuple[int, ...]
    tree: Tree
    answers: tuple[int, ...]

    @property
    def best(self) -> int:
        """The node of the best answer; where none came to an end, of the longest."""
        tree = self.tree
        return self.answers[0] if self.answers else max(range(len(tree.nodes)), key=lambda n: tree[n].depth)

    def episode(self, n: int) -> Episode:
        """Return the answer of a node. Its log-probs are those of drawing it, not of choosing it."""
        s = self.tree.answer(n)
        return Episode.of_answer(self.prompt, 0, n, self.asked, s.tokens, s.logp, s.ended, s.text)

    def last_step(self, n: int) -> Episode:
        """Return the last step of a node as what follows the prompt and the steps before it."""
        before = self.tree.answer(self.tree[n].parent) if n != ROOT else Step()
        s = self.tree[n].step
        segment = Segment(s.tokens, s.logp, 0, s.text, s.ended)
        return Episode(self.prompt, 0, n, (*self.asked, *before.tokens), (segment,))

    def state(self) -> dict[str, Any]:
        """Return everything as plain data; the prompt by its id."""
        return {
            "prompt_id": self.prompt.id,
            "asked": list(self.asked),
            "answers": list(self.answers),
            "tree": self.tree.state(),
        }

    @classmethod
    def restored(cls, state: Mapping[str, Any], prompts: Mapping[int, Prompt]) -> Found:
        """Rebuild it from its `state`, also where that has been JSON. `prompts`: by id."""
        tree = Tree.restored(state["tree"])
        return cls(prompts[state["prompt_id"]], tuple(state["asked"]), tree, tuple(state["answers"]))
