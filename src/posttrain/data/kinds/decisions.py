"""Decisions: a prompt, the actions that could be taken, and the one that was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from posttrain.core.kinds import Kind
from posttrain.data.cells import Cells
from posttrain.data.numeric_columns import numbers
from posttrain.errors import DataError
from posttrain.records import Row, Turns
from posttrain.seeds import seed_for
from posttrain.turns import words

if TYPE_CHECKING:
    from posttrain.data.chat.encode import Encoder

BROUGHT = {"episode": 0, "moment": 0, "duration": 1.0, "reward": 0.0}  # and what they are where nobody says


@dataclass(frozen=True)
class Decision:
    """One decision of an episode. `chosen`: the place of the action that was taken.

    `episode`: its id, which becomes the tensor `conversation`. `moment`: the number of the decision in it. `duration`:
    the steps that the action took. `reward`: what it earned.
    """

    id: int
    prompt: Turns
    choices: tuple[str, ...]
    chosen: int
    episode: int = 0
    moment: int = 0
    duration: float = 1.0
    reward: float = 0.0
    columns: Mapping[str, Any] = field(default_factory=dict)
    where: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)


def read(cells: Cells, identity: int, where: str) -> Decision:
    """Read a prompt, its `choices` and which was `chosen`, by its text or its place."""
    asked, choices, chosen = cells.question("prompt"), cells.take("choices"), cells.take("chosen")
    if not isinstance(choices, list | tuple) or not all(isinstance(c, str) and c for c in choices):
        raise DataError(f"'choices' must be a list of texts that are not empty, not {choices!r:.80}")
    if len(set(choices)) < len(choices):
        raise DataError(f"'choices' holds a text twice: {choices!r:.80}")
    place = choices.index(chosen) if chosen in choices else chosen
    if not isinstance(place, int) or isinstance(place, bool) or not 0 <= place < len(choices):
        raise DataError(f"'chosen' must be one of the choices, or its place from 0; not {chosen!r:.80}")
    prompt, *_ = cells.together(asked, {})
    own = numbers({k: cells.take(k) for k in BROUGHT if k in cells}, dict.fromkeys(BROUGHT, "B"))
    told = {k: type(x)(own.get(k, x)) for k, x in BROUGHT.items()}
    return Decision(identity, prompt, tuple(choices), place, columns=cells.rest, where=where, **told)  # type: ignore[arg-type]


def encode(encoder: Encoder, r: Decision, wanted: Mapping[str, str]) -> list[Row]:
    """One row for each action, without an end of the turn. Only that of the action that was taken is trained."""
    own = numbers(r.columns, wanted) | {n: getattr(r, n) for n in BROUGHT if n != "episode"}
    rows = []
    for place, text in enumerate(r.choices):
        tokens, read = encoder.followed(r.prompt, text)
        written = (False,) * read + (True,) * (len(tokens) - read)
        trained = written if place == r.chosen else (False,) * len(tokens)
        columns = {"group": r.id, "words": words(text), "conversation": r.episode, **own}
        rows.append(Row(seed_for("decision", r.id, place), tokens, trained, written, columns))
    return rows


KIND = Kind(
    "decisions",
    Decision,
    read,
    encode,
    "prompt, choices and chosen",
    frozenset({"choices"}),
    brings=frozenset({"group", "words", "conversation", *BROUGHT} - {"episode"}),
    readers="online/glam and online/twosome",
)
