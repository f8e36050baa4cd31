"""What a search has found: the tree of one prompt, and the nodes of its answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from posttrain.records import Episode, Prompt, Segment
from posttrain.search.tree import ROOT, Tree


@dataclass(frozen=True)
class Found:
    """A tree, grown. `asked`: the tokens of its prompt; `answers`: the nodes of its answers, the best first.

    `forced`: the beginning of every answer that was forced.
    """

    prompt: Prompt
    asked: tuple[int, ...]
    tree: Tree
    answers: tuple[int, ...]
    forced: tuple[Segment, ...] = ()

    @property
    def best(self) -> int:
        """The node of the best answer; where none came to an end, of the longest."""
        tree = self.tree
        return self.answers[0] if self.answers else max(range(len(tree.nodes)), key=lambda n: tree[n].depth)

    @property
    def limit(self) -> int | None:
        """The most tokens of an answer, its forced beginning included; None without a limit."""
        most = self.tree.max_tokens
        return None if most is None else most + sum(len(s.tokens) for s in self.forced)

    def before(self, n: int) -> tuple[int, ...]:
        """Return the tokens of an answer up to a node, its forced beginning included."""
        return (*(t for s in self.forced for t in s.tokens), *self.tree.answer(n).tokens)

    def episode(self, n: int) -> Episode:
        """Return the answer of a node. Its log-probs are those of drawing it, not of choosing it."""
        s = self.tree.answer(n)
        drawn = Segment(s.tokens, s.logp, 0, s.text, s.ended)
        return Episode(self.prompt, 0, n, self.asked, (*self.forced, drawn))

    def last_step(self, n: int) -> Episode:
        """Return the last step of a node as what follows the prompt and the steps before it."""
        before = self.before(self.tree[n].parent if n != ROOT else ROOT)
        s = self.tree[n].step
        segment = Segment(s.tokens, s.logp, 0, s.text, s.ended)
        return Episode(self.prompt, 0, n, (*self.asked, *before), (segment,))

    def state(self) -> dict[str, Any]:
        """Return everything as plain data; the prompt by its id."""
        return {
            "prompt_id": self.prompt.id,
            "asked": list(self.asked),
            "answers": list(self.answers),
            "forced": [asdict(s) for s in self.forced],
            "tree": self.tree.state(),
        }

    @classmethod
    def restored(cls, state: Mapping[str, Any], prompts: Mapping[int, Prompt]) -> Found:
        """Rebuild it from its `state`, also where that has been JSON. `prompts`: by id."""
        tree, forced = Tree.restored(state["tree"]), tuple(map(_segment, state.get("forced", ())))
        asked, answers = (tuple(state[name]) for name in ("asked", "answers"))
        return cls(prompts[state["prompt_id"]], asked, tree, answers, forced)


def _segment(row: Mapping[str, Any]) -> Segment:
    """Rebuild a segment from its fields, also where they have been JSON."""
    fields: dict[str, Any] = {name: tuple(x) if isinstance(x, list) else x for name, x in row.items()}
    return Segment(**fields)
