"""One call of a reward function: what goes in, and what went wrong instead of scores."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from posttrain.seeds import seed_for

Kind = Literal["raised", "deadline", "died", "result", "setup", "stop"]
SLACK = 1.0  # seconds beyond the deadlines that an event loop keeps by itself


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


@dataclass(frozen=True, eq=False)
class Call:
    """Score the completions `items` of a batch: `arguments` has a list for each of prompts, completions, columns.

    `form`, `extras` and `batched` are those of Reads; `state` is what `trainer_state` says. `groups`: an async function
    is called once for each of these positions in `items`, all at the same time, each call with the deadline `timeout`.
    """

    reward: str
    function: str | Callable[..., Any]
    settings: Mapping[str, Any]
    arguments: Mapping[str, list[Any]]
    items: tuple[int, ...]
    form: str = "texts"
    extras: tuple[str, ...] = ()
    batched: bool = False
    state: Mapping[str, Any] = field(default_factory=dict)
    groups: tuple[tuple[int, ...], ...] = ()
    timeout: float | None = None

    @property
    def seed(self) -> int:
        """The same for the same texts, so that a random reward does not depend on what ran before it."""
        texts = (*self.arguments.get("prompts", ()), *self.arguments.get("completions", ()))
        return seed_for(self.reward, *(t if isinstance(t, str) else str(t) for t in texts))

    def limit(self, timeout: float) -> float:
        """Seconds after which the whole call has failed: of groups each is tried twice, together and one by one."""
        return 2 * timeout + SLACK if self.groups else timeout

    def split(self) -> list[Call]:
        """A call for each group, or for each completion of a call without groups."""
        return [self._part(part) for part in self.groups or [(k,) for k in range(len(self.items))]]

    def _part(self, positions: Sequence[int]) -> Call:
        return replace(
            self,
            items=tuple(self.items[k] for k in positions),
            arguments={name: [column[k] for k in positions] for name, column in self.arguments.items()},
            groups=(),
        )


def to_request(call: Call, timeout: float) -> dict[str, Any]:
    """Return a call as it is sent to a worker. A function of this process goes by the name of its reward."""
    return {
        "reward": call.reward,
        "function": call.function if isinstance(call.function, str) else "",
        "settings": dict(call.settings),
        "arguments": dict(call.arguments),
        "items": call.items,
        "form": call.form,
        "extras": call.extras,
        "batched": call.batched,
        "state": dict(call.state),
        "groups": call.groups,
        "timeout": timeout,
    }


def from_request(request: Mapping[str, Any]) -> Call:
    """Return the call that was sent."""
    fields = {key: value for key, value in request.items() if key != "id"}
    tuples = {key: tuple(fields[key]) for key in ("items", "extras", "groups")}
    return Call(**{**fields, **tuples})
