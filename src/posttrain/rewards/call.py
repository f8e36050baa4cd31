"""One call of a reward function: what goes in, what may come out, and what went wrong instead."""

from __future__ import annotations

import math
import random
import reprlib
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from numbers import Real
from typing import Any, Literal, get_args

from posttrain.errors import ConfigError
from posttrain.seeds import seed_for

Kind = Literal["raised", "deadline", "died", "result", "setup"]
_TRACEBACK = 4000  # characters that are kept of a traceback; the end says most


class DeadlineError(BaseException):
    """Raised into a function that runs in this process too long. Not an Exception: functions catch those."""


@dataclass(frozen=True)
class Fault:
    """Why there is no verdict. "setup": the run cannot go on; "result": what came back is not scores."""

    kind: Kind
    message: str
    traceback: str = ""

    @property
    def lies_in_an_item(self) -> bool:
        """Whether it may have been one completion's fault, so that the others deserve another try alone."""
        return self.kind in ("raised", "deadline", "died")


Verdict = float | None | Fault
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
    except SystemExit as error:
        return Fault("raised", f"reward {reward!r} called sys.exit({error.code!r:.80})", _tail(error))
    except BaseException as error:  # noqa: BLE001 -- untrusted code: even its own BaseExceptions are its fault
        return Fault("raised", f"reward {reward!r} raised {_line(error)}", _tail(error))


def verdicts(reward: str, result: Any, count: int) -> Outcome:
    """The scores that a function returned: a list, tuple or array with a number or None for each completion."""
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
    return [_verdict(reward, value) for value in result]


def _verdict(reward: str, value: Any) -> Verdict:
    """None abstains; True and False are 1 and 0; numpy numbers and tensors of one element are numbers."""
    if value is None:
        return None
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, Real):
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if math.isfinite(number):
            return number
    message = f"reward {reward!r} returned {reprlib.repr(value)} ({type(value).__name__}) for a completion"
    return Fault("result", f"{message}; return a finite number, or None to abstain")


def to_wire(outcome: Outcome) -> dict[str, Any]:
    if isinstance(outcome, Fault):
        return {"fault": asdict(outcome)}
    return {"verdicts": [asdict(v) if isinstance(v, Fault) else v for v in outcome]}


def from_wire(message: Mapping[str, Any], count: int) -> Outcome:
    """The inverse of `to_wire`. Raises ValueError for anything else: the other side may have lost its mind."""
    if "fault" in message:
        return _fault(message["fault"])
    values = message.get("verdicts")
    if not isinstance(values, list) or len(values) != count:
        raise ValueError("no list of verdicts")
    return [_fault(v) if isinstance(v, dict) else _number(v) for v in values]


def _fault(fields: Any) -> Fault:
    if not isinstance(fields, dict) or set(fields) != {"kind", "message", "traceback"}:
        raise ValueError("no fault")
    if fields["kind"] not in get_args(Kind):
        raise ValueError(f"a fault of kind {fields['kind']!r}")
    return Fault(fields["kind"], str(fields["message"]), str(fields["traceback"]))


def _number(value: Any) -> float | None:
    if value is None or (isinstance(value, float) and math.isfinite(value)):
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
