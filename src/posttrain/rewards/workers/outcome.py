"""What came of a call of a reward function: verdicts, how they are checked, and how they travel from a worker."""

from __future__ import annotations

import reprlib
import traceback
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, get_args

from posttrain.rewards.verdicts import LARGEST, Spans, Turns, from_plain, number, to_plain
from posttrain.rewards.workers.call import Fault, Kind

_TRACEBACK = 4000  # characters that are kept of a traceback; the end says most
_NOTE = 2000  # characters that are kept of a note


class Scores(list[Any]):
    """What a reward function may return instead of a list: besides its scores, curves that only watch.

    Scores([0.5, None], agreement=[1.0, None]): `rewards/NAME/agreement` is the mean of those that are numbers.
    `notes`: for each completion what people should read in the samples, by name.
    """

    def __init__(self, scores: Iterable[Any], **watched: Sequence[Any]) -> None:
        super().__init__(scores)
        self.watched = watched
        self.notes: dict[str, list[Any]] = {}


Verdict = float | Turns | Spans | None | Fault
Outcome = list[Verdict] | Fault  # a Fault of the whole call, or a verdict for each completion


def verdicts(reward: str, result: Any, count: int) -> Outcome:
    """The verdicts that a function returned: a list, tuple or array with one for each completion.

    A number, None to abstain, or numbers for Turns or Spans.

    An exception in the list is what went wrong with that completion alone.
    """
    if hasattr(result, "tolist"):  # numpy arrays and tensors
        result = result.tolist()
    if not isinstance(result, list | tuple):
        return Fault(
            "result",
            f"reward {reward!r} returned {type(result).__name__} {reprlib.repr(result)} for {count} completions; "
            f"return a list of {count} numbers",
        )
    if len(result) != count:
        message = f"reward {reward!r} returned {len(result)} values for {count} completions"
        return Fault("result", f"{message}; return one for each, None to abstain")
    scores = [_verdict(reward, value) for value in result]
    return _watching(reward, scores, result) if isinstance(result, Scores) else scores


def joined(parts: Iterable[tuple[int, Outcome]]) -> Scores:
    """Join outcomes, each with its number of completions; a Fault is that of each of its completions."""
    whole = Scores([])
    for count, part in parts:
        before = len(whole)
        whole += [part] * count if isinstance(part, Fault) else part
        if isinstance(part, Scores):
            for ours, theirs in ((whole.watched, part.watched), (whole.notes, part.notes)):
                for name, values in theirs.items():
                    ours[name] = [*ours.get(name, [None] * before), *values]
        for ours in (whole.watched, whole.notes):
            ours.update({name: [*v, *[None] * (len(whole) - len(v))] for name, v in ours.items()})
    return whole


def _watching(reward: str, scores: list[Verdict], given: Scores) -> Outcome:
    """Scores with their curves and notes, or what is wrong with a curve."""
    made: dict[str, Any] = {}
    for name, values in given.watched.items():
        checked = verdicts(f"{reward}/{name}", list(values), len(scores))
        if faults := [checked] if isinstance(checked, Fault) else [v for v in checked if isinstance(v, Fault)]:
            return faults[0]
        made[name] = checked
    watching = Scores(scores, **made)
    watching.notes = {name: [_note(v) for v in values] for name, values in given.notes.items()}
    return watching


def _verdict(reward: str, value: Any) -> Verdict:
    """None abstains; True and False are 1 and 0; numpy numbers and tensors of one element are numbers."""
    if value is None:
        return None
    if isinstance(value, Exception):
        return Fault("raised", f"reward {reward!r}: {line(value)}", tail(value) if value.__traceback__ else "")
    if isinstance(value, Turns | Spans | Fault):
        return value
    try:
        return from_plain(value) if isinstance(value, Mapping) else number(value)
    except ValueError:
        pass
    message = f"reward {reward!r} returned {reprlib.repr(value)} ({type(value).__name__}) for a completion"
    return Fault("result", f"{message}; return a number, at most {LARGEST:g}, or None to abstain")


def _note(value: Any) -> Any:
    return value if value is None or isinstance(value, bool | int | float) else str(value)[:_NOTE]


def line(error: BaseException) -> str:
    """An exception in one line."""
    return traceback.format_exception_only(error)[-1].strip()[:500]


def tail(error: BaseException) -> str:
    """The traceback below our own frame."""
    below = error.__traceback__.tb_next if error.__traceback__ else None
    return "".join(traceback.format_exception(type(error), error, below))[-_TRACEBACK:]


# ---- the wire


def to_wire(outcome: Outcome) -> dict[str, Any]:
    if isinstance(outcome, Fault):
        return {"fault": asdict(outcome)}
    made = {"verdicts": [asdict(v) if isinstance(v, Fault) else to_plain(v) for v in outcome]}
    return made | ({"watched": outcome.watched, "notes": outcome.notes} if isinstance(outcome, Scores) else {})


def from_wire(message: Mapping[str, Any], count: int) -> Outcome:
    """The inverse of `to_wire`. Raises ValueError for anything else: the worker may send anything."""
    if "fault" in message:
        return fault_from(message["fault"])
    values = message.get("verdicts")
    if not isinstance(values, list) or len(values) != count:
        raise ValueError("no list of verdicts")
    scores: list[Verdict] = [_structured(v) if isinstance(v, dict) else _number(v) for v in values]
    if message.get("watched") is None:
        return scores
    watching = Scores(scores, **{name: [*map(_number, v)] for name, v in _lists(message["watched"], count).items()})
    watching.notes = {name: [*map(_note, v)] for name, v in _lists(message.get("notes", {}), count).items()}
    return watching


def _lists(named: Any, count: int) -> dict[str, list[Any]]:
    if not isinstance(named, dict) or any(not isinstance(v, list) or len(v) != count for v in named.values()):
        raise ValueError("no list of values for each completion")
    return {str(name): values for name, values in named.items()}


def _structured(value: Mapping[str, Any]) -> Verdict:
    return fault_from(value) if "kind" in value else from_plain(value)


def fault_from(fields: Any) -> Fault:
    """Rebuild a fault that was sent as plain data. Raises ValueError for anything else."""
    if not isinstance(fields, dict) or set(fields) != {"kind", "message", "traceback"}:
        raise ValueError("no fault")
    if fields["kind"] not in get_args(Kind):
        raise ValueError(f"a fault of kind {fields['kind']!r}")
    return Fault(fields["kind"], str(fields["message"]), str(fields["traceback"]))


def _number(value: Any) -> float | None:
    if value is None or (isinstance(value, float) and abs(value) <= LARGEST):
        return value
    raise ValueError(f"a verdict that is {value!r:.80}")
