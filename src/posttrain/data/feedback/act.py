"""One act of feedback: who judged what, what was shown in which order, the judgement, and the circumstances."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from posttrain.data.error_context import errors_at
from posttrain.data.feedback.fields import Fields, check_place
from posttrain.data.feedback.judgements import Judgement, Spans
from posttrain.data.feedback.read_judgement import judgement_of
from posttrain.errors import DataError
from posttrain.seeds import seed_for

TEXTS = ("role", "session", "tool", "instructions", "reason", "repeats", "excluded")


@dataclass(frozen=True)
class Answer:
    """An answer as it was shown: text, or messages. `source`: how it was made (model, sampling, seed, logp, ...)."""

    said: Any
    source: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Act:
    """One judgement by one annotator of one item. docs/feedback.md describes every key.

    `item` is the same for all acts on the same prompt and answers. `shown`: places of the answers in the order they
    were shown in, () where it is not known. `expected`: the right judgement of an item that checks annotators.
    """

    id: str
    annotator: str
    item: str
    prompt: Any
    answers: tuple[Answer, ...]
    judgement: Judgement
    shown: tuple[int, ...] = ()
    expected: Judgement | None = None
    time: str = ""
    seconds: float | None = None
    role: str = ""
    session: str = ""
    tool: str = ""
    instructions: str = ""
    reason: str = ""
    repeats: str = ""
    excluded: str = ""
    columns: Mapping[str, Any] = field(default_factory=dict)
    where: str = ""

    def key(self, place: int) -> str:
        """Return what tells an answer from the others to this prompt: its content."""
        return canonical(self.answers[place].said)


def is_act(row: Mapping[str, Any]) -> bool:
    """Whether a row of a file is an act of feedback: it has an object `judgement`."""
    return isinstance(row.get("judgement"), Mapping)


def act_of(row: Mapping[str, Any], where: str) -> Act:
    """Read an act. DataError, with the place, for a key that is missing, unknown or of another type."""
    with errors_at(where):
        f = Fields(row, "act")
        answers = _answers(f.take("answers"))
        judgement = judgement_of(f.need("judgement"), len(answers))
        expected = f.take("expected")
        annotator = f.text("annotator")
        if not annotator:
            raise DataError("'annotator' is missing: a name or number, the same in all acts of one person or model")
        texts = {name: f.text(name) for name in TEXTS}
        columns = f.take("columns") or {}
        if not isinstance(columns, Mapping):
            raise DataError(f"'columns' must be an object, not {columns!r:.80}")
        act = Act(
            id=f.text("act") or f"{seed_for('act', canonical(row)):x}",
            annotator=annotator,
            item=f.text("item"),
            prompt=f.need("prompt"),
            answers=answers,
            judgement=judgement,
            shown=_shown(f.take("shown"), len(answers)),
            expected=None if expected is None else judgement_of(expected, len(answers)),
            time=_time(f.text("time")),
            seconds=f.number("seconds"),
            columns=columns,
            where=where,
            **texts,
        )
        f.end("; other columns belong into 'columns': {...}")
        _check_spans(act)
        return act if act.item else _with_item(act)


def canonical(said: Any) -> str:
    """Return text or messages as one text that is the same for the same content."""
    return said if isinstance(said, str) else json.dumps(said, sort_keys=True, ensure_ascii=False, default=str)


def _answers(value: Any) -> tuple[Answer, ...]:
    if value is not None and not isinstance(value, list | tuple):
        raise DataError(f"'answers' must be a list of answers, not {value!r:.80}")
    return tuple(map(_answer, value or ()))


def _answer(value: Any) -> Answer:
    if isinstance(value, str | list | tuple):
        return Answer(value)
    if not isinstance(value, Mapping):
        raise DataError(f"an answer must be text, messages, or an object with 'text' or 'messages', not {value!r:.80}")
    if "role" in value:
        return Answer([value])  # a message
    said = [value[name] for name in ("text", "messages") if value.get(name) is not None]
    if len(said) != 1:
        raise DataError(f"an answer must be text, messages, or an object with 'text' or 'messages', not {value!r:.80}")
    return Answer(said[0], {name: x for name, x in value.items() if name not in ("text", "messages")})


def _shown(value: Any, count: int) -> tuple[int, ...]:
    if value is None:
        return ()
    if not isinstance(value, list | tuple) or len({check_place(x, count, "'shown'") for x in value}) < len(value):
        raise DataError(f"'shown' must be the places of answers in the order they were shown in, not {value!r:.80}")
    return tuple(value)


def _time(text: str) -> str:
    try:
        return text and datetime.fromisoformat(text).isoformat()
    except ValueError:
        raise DataError(f"'time' must be a time such as 2026-11-28T09:30:00+00:00, not {text!r}") from None


def _check_spans(act: Act) -> None:
    if isinstance(act.judgement, Spans):
        said = act.answers[act.judgement.answer].said
        for mark in act.judgement.marks:
            if isinstance(said, str) and mark.end > len(said):
                raise DataError(f"a span ends at character {mark.end} of an answer of {len(said)}")


def _with_item(act: Act) -> Act:
    """The item of an act without one derives from the prompt and the answers, in whatever order they stand."""
    answers = sorted(act.key(i) for i in range(len(act.answers)))
    return replace(act, item=f"{seed_for('item', canonical(act.prompt), *answers):x}")
