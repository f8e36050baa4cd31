"""Columns that other data sets call otherwise. Where two could be meant, the row is refused: the user decides."""

from __future__ import annotations

from posttrain.data.cells import Cells
from posttrain.errors import DataError

_PROMPT = ("question", "query", "problem", "input")
_ANSWER = ("response", "output", "answer", "solution", "target")
_ANSWERS = ("responses", "answers", "generations", "outputs", "candidates")
_PROMPT_OF_PAIRS = _PROMPT[:-1]
OTHER_NAMES: dict[str, dict[str, tuple[str, ...]]] = {
    "text": {"text": ("content",)},
    "prompts": {"prompt": _PROMPT},
    "demonstrations": {"prompt": _PROMPT, "completion": _ANSWER},
    "pairs": {
        "prompt": _PROMPT_OF_PAIRS,
        "chosen": ("chosen_response", "response_chosen", "chosen_answer", "preferred", "accepted"),
        "rejected": ("rejected_response", "response_rejected", "rejected_answer", "dispreferred"),
    },
    "ratings": {
        "prompt": _PROMPT,
        "completion": _ANSWER,
        "label": ("kto_tag", "labels", "desirable", "is_desirable", "thumbs_up"),
    },
    "rankings": {"prompt": _PROMPT, "completions": _ANSWERS},
    "steps": {"prompt": _PROMPT_OF_PAIRS},
    "candidates": {"prompt": _PROMPT, "completions": _ANSWERS},
}

WHOLE = {"demonstrations": ("messages", "text"), "ratings": ("messages",), "prompts": ("messages",)}


def rename(cells: Cells) -> None:
    """Read the columns that the kind lacks from those of other names, each with a notice."""
    whole = any(name in cells for name in WHOLE.get(cells.kind, ())) or _whole_answers(cells)
    for ours, names in OTHER_NAMES.get(cells.kind, {}).items():
        wanted = ours not in cells and not (whole and ours in ("prompt", "completion"))
        present = [name for name in names if wanted and name in cells]
        if len(present) > 1:
            raise DataError(
                f"{ours!r} is missing, and {' and '.join(map(repr, present))} could be meant; say which: "
                f"columns: {{{ours}: {present[0]}}}"
            )
        if present:
            cells.put(ours, cells.take(present[0]))
            cells.note(f"the column {present[0]!r} is read as {ours!r}")


def _whole_answers(cells: Cells) -> bool:
    """Whether the answers of a pair are whole conversations, so that a column `question` is not the prompt."""
    chosen = cells.rest.get("chosen")
    first = chosen[0] if isinstance(chosen, list | tuple) and chosen else None
    speaker = (first.get("role") or first.get("from")) if isinstance(first, dict) else None
    return cells.kind == "pairs" and speaker in ("user", "human", "system")
