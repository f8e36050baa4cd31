"""The scorer's side of one worker process, which answers one call at a time."""

from __future__ import annotations

from posttrain.rewards.workers.call import Call, to_request
from posttrain.rewards.workers.children import Child, start_python
from posttrain.rewards.workers.killable import KillableProcess
from posttrain.rewards.workers.outcome import Outcome, from_wire


class WorkerProcess(KillableProcess):
    """Answers one call of a reward function at a time."""

    def __init__(self, child: Child | None = None) -> None:
        super().__init__(child or start_python())
        self._items = 0  # of the present call

    def ask(self, call: Call, timeout: float) -> None:
        """Send a call. The deadline counts from when the function is loaded.

        Raises TypeError, ValueError or RecursionError when the arguments cannot be encoded as JSON.
        """
        self.send(f"reward {call.reward!r}", to_request(call, timeout), call.limit(timeout))
        self._items = len(call.items)

    def poll(self) -> Outcome | None:
        """Return the outcome of the call, or None while it is unknown. Never blocks."""
        return self.receive(lambda message: from_wire(message, self._items))
