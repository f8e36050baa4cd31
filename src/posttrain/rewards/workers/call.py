"""One call of a reward function: what goes in, what may come out, and what went wrong instead."""

from __future__ import annotations

import random
import reprlib
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, get_args

from posttrain.errors import ConfigError, RewardError
from posttrain.rewards.verdicts import LARGEST, Spans, Turns, from_plain, number, to_plain
from posttrain.seeds import seed_for

Kind = Literal["raised", "deadline", "died", "result", "setup", "stop"]
_TRACEBACK = 4000  # characters that are kept of a traceback; the end says most


class DeadlineError(BaseException):
    """Raised into a function that runs in this process too long. Not an Exception: functions catch those."""


@dataclass(frozen=True)
class Fault:
    """Why there is no verdict. "setup" and "stop": the run cannot go on, by whose run file or by whose
    word (a RewardError); "result": what came back is not scores."""

    kind: Kind
    message: str
    traceback: str = ""

    @property
    def lies_in_an_item(self) -> bool:
        """Whether it may have been one completion's fault, so that the others deserve another try alone."""
        return self.kind in ("raised", "deadline", "died")


class Scores(list[Any]):
    """What a reward function may return instead of a list: besides its scores, curves that only watch.

    Scores([0.5, None], agreement=[1.0, None]): `rewards/NAME/agreement` is the mean of those that are numbers.
    """

    def __init__(self, scores: Iterable[Any], **watched: Sequence[Any]) -> None:
        super().__init__(scores)
        self.watched = watched


Verdict = float | Turns | Spans | None | Fault
Outcome = list[Verdict] | Fault  # a Fault of the whole call, or a verdict for each completion


@dataclass(frozen=True, eq=False)
class Call:
    """Score the completions `items` of a batch: `arguments` has a list for each of prompts, completions, columns."""

    reward: str
    function: str | Callable[..., Any]
    settings: Mapping[str, Any]
    arguments: Mapping[str, list[Any]]
    items: tuple[int, ...]

    @property
    def seed(self) -> int:
        """The same for the same texts, so that a random reward does not depend on what ran before it."""
        return seed_for(self.reward, *self.arguments.get("prompts", ()), *self.arguments.get("completions", ()))

    def split(self) -> list[Call]:
        """A call for each completion."""
        return [
            replace(self, items=(item,), arguments={name: [column[k]] for name, column in self.arguments.items()})
            for k, item in enumerate(self.items)
        ]


def evaluate(
    reward: str,
    function: Callable[..., Any],
    arguments: Mapping[str, list[Any]],
    settings: Mapping[str, Any],
    seed: int,
) -> Outcome:
    """Call a reward function and check what it returns. Whatever it raises is a Fault, Ctrl-C excepted."""
    count = len(arguments["completions"])
    _seed_everything(seed)
    try:
        return verdicts(reward, function(**arguments, **settings), count)
    except (KeyboardInterrupt, DeadlineError):
        raise
    except ConfigError as error:
        return Fault("setup", f"reward {reward!r}: {error}")
    except RewardError as error:
        return Fault("stop", f"reward {reward!r}: {error}")
    except SystemExit as error:
        return Fault("raised", f"reward {reward!r} called sys.exit({error.code!r:.80})", _tail(error))
    except BaseException as error:  # noqa: BLE001 -- untrusted code: even its own BaseExceptions are its fault
        return Fault("raised", f"reward {reward!r} raised {_line(error)}", _tail(error))


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
    return _watching(reward, scores, result.watched) if isinstance(result, Scores) else scores


def _watching(reward: str, scores: list[Verdict], watched: Mapping[str, Sequence[Any]]) -> Outcome:
    """Scores with their curves, or what is wrong with a curve."""
    made: dict[str, Any] = {}
    for name, values in watched.items():
        checked = verdicts(f"{reward}/{name}", list(values), len(scores))
        if faults := [checked] if isinstance(checked, Fault) else [v for v in checked if isinstance(v, Fault)]:
            return faults[0]
        made[name] = checked
    return Scores(scores, **made)


def _verdict(reward: str, value: Any) -> Verdict:
    """None abstains; True and False are 1 and 0; numpy numbers and tensors of one element are numbers."""
    if value is None:
        return None
    if isinstance(value, Exception):
        return Fault("raised", f"reward {reward!r}: {_line(value)}")
    if isinstance(value, Turns | Spans):
        return value
    try:
        return from_plain(value) if isinstance(value, Mapping) else number(value)
    except ValueError:
        pass
    message = f"reward {reward!r} returned {reprlib.repr(value)} ({type(value).__name__}) for a completion"
    return Fault("result", f"{message}; return a number, at most {LARGEST:g}, or None to abstain")


def to_wire(outcome: Outcome) -> dict[str, Any]:
    if isinstance(outcome, Fault):
        return {"fault": asdict(outcome)}
    made = {"verdicts": [asdict(v) if isinstance(v, Fault) else to_plain(v) for v in outcome]}
    return made | ({"watched": outcome.watched} if isinstance(outcome, Scores) else {})


def from_wire(message: Mapping[str, Any], count: int) -> Outcome:
    """The inverse of `to_wire`. Raises ValueError for anything else: the worker may send anything."""
    if "fault" in message:
        return _fault(message["fault"])
    values = message.get("verdicts")
    if not isinstance(values, list) or len(values) != count:
        raise ValueError("no list of verdicts")
    scores: list[Verdict] = [_structured(v) if isinstance(v, dict) else _number(v) for v in values]
    watched = message.get("watched")
    return scores if watched is None else Scores(scores, **_curves(watched, count))


def _curves(watched: Any, count: int) -> dict[str, list[float | None]]:
    if not isinstance(watched, dict) or any(not isinstance(v, list) or len(v) != count for v in watched.values()):
        raise ValueError("no list of watched values for each completion")
    return {str(name): [_number(v) for v in values] for name, values in watched.items()}


def _structured(value: Mapping[str, Any]) -> Verdict:
    return _fault(value) if "kind" in value else from_plain(value)


def _fault(fields: Any) -> Fault:
    if not isinstance(fields, dict) or set(fields) != {"kind", "message", "traceback"}:
        raise ValueError("no fault")
    if fields["kind"] not in get_args(Kind):
        raise ValueError(f"a fault of kind {fields['kind']!r}")
    return Fault(fields["kind"], str(fields["message"]), str(fields["traceback"]))


def _number(value: Any) -> float | None:
    if value is None or (isinstance(value, float) and abs(value) <= LARGEST):
        return value
    raise ValueError(f"a verdict that is {value!r:.80}")


def _seed_everything(seed: int) -> None:
    """For the function's sake: our own code draws from no global generator."""
    random.seed(seed)
    if numpy := sys.modules.get("numpy"):
        numpy.random.seed(seed % 2**32)
    if torch := sys.modules.get("torch"):
        torch.manual_seed(seed)


def _line(error: BaseException) -> str:
    return traceback.format_exception_only(error)[-1].strip()[:500]


def _tail(error: BaseException) -> str:
    """The traceback below our own frame."""
    below = error.__traceback__.tb_next if error.__traceback__ else None
    return "".join(traceback.format_exception(type(error), error, below))[-_TRACEBACK:]
