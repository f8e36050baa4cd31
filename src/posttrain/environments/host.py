"""A process that holds episodes: `python -m posttrain.environments.host PARENT MEMORY`.

Requests arrive on the original standard input, replies leave on the original standard output. Environments see neither:
what they print goes to standard error, which the trainer reads. The generators of Python, numpy and torch are seeded
before every step from the episode's seed, for environments that draw from them.
"""

from __future__ import annotations

import faulthandler
import os
import resource
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any, BinaryIO

from posttrain.environments import lookup, wire
from posttrain.environments.environment import Environment
from posttrain.environments.tools.schema import schemas_of
from posttrain.errors import ConfigError
from posttrain.rewards.workers.call import Fault
from posttrain.rewards.workers.evaluate import seed_everything
from posttrain.rewards.workers.framing import pack, read
from posttrain.rewards.workers.inside import die_with_parent, private_pipes
from posttrain.rewards.workers.outcome import line, tail
from posttrain.seeds import seed_for

GB = 10**9


@dataclass
class Episode:
    """An environment that is being played, and how many turns it has answered."""

    environment: Environment
    seed: int
    turn: int = 0

    def step(self, action: Mapping[str, Any]) -> dict[str, Any]:
        """Answer an action."""
        self.turn += 1
        seed_everything(seed_for(self.seed, "turn", self.turn))
        outcome = wire.plain_outcome(self.environment.step(wire.action_of(action)))
        return outcome if outcome["done"] else outcome | {"choices": wire.plain_choices(self.environment.choices())}


class Host:
    """The episodes of this process. `say_loaded` is called once the code is there and the time limit begins."""

    def __init__(self, say_loaded: Callable[[], None]) -> None:
        self.say_loaded = say_loaded
        self.episodes: dict[int, Episode] = {}

    def answer(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Return the reply to a request. Whatever an environment raises is a fault, which ends the episode."""
        number, what = request["episode"], request["what"]
        try:
            if what == "begin":
                return {"opening": self._begin(number, request)}
            self.say_loaded()
            if what == "step":
                outcome = self.episodes[number].step(request["action"])
                if outcome["done"]:
                    self._end(number)
                return {"outcome": outcome}
            self._end(number)
            return {"ended": True}
        except BaseException as error:  # noqa: BLE001 -- a user's environment may fail in any way
            fault = _fault(request["path"], what, error)
            with suppress(BaseException):
                self._end(number)
            return {"fault": asdict(fault)}

    def _begin(self, number: int, request: Mapping[str, Any]) -> dict[str, Any]:
        """Make the environment of an episode and play what was played already, in place of what there was."""
        self._end(number)
        made = lookup.load(request["path"])
        self.say_loaded()
        seed, prompt = request["seed"], wire.prompt_of(request["prompt"])
        seed_everything(seed_for(seed, "turn", 0))
        episode = self.episodes[number] = Episode(made(**request["settings"]), seed)
        messages = episode.environment.reset(prompt, seed)
        opening = wire.plain_opening(messages, schemas_of(episode.environment.tools()), episode.environment.choices())
        for action, outcome in request["past"]:
            again = episode.step(action)
            if made.replays and {**again, "info": None} != {**outcome, "info": None}:  # which only people read
                raise wire.NonsenseError(
                    f"turn {episode.turn} was answered otherwise when the same actions were played again; let its "
                    "random choices come from the seed of `reset`, or set replays = False in its class"
                )
        return opening

    def _end(self, number: int) -> None:
        episode = self.episodes.pop(number, None)
        if episode is not None:
            episode.environment.close()


def main() -> None:
    """Answer requests until the trainer closes the pipe."""
    requests, replies = private_pipes()
    limit = int(float(sys.argv[2]) * GB)
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (limit if most < 0 else min(limit, most), most))
    serve(requests, replies, int(sys.argv[1]))


def serve(requests: BinaryIO, replies: BinaryIO, parent: int) -> None:
    """Answer requests until the pipe closes or the process of the trainer has ended."""
    faulthandler.enable(file=2)
    threading.Thread(target=die_with_parent, args=(parent,), daemon=True).start()
    folder, pid = os.open(os.curdir, os.O_RDONLY), os.getpid()
    request: dict[str, Any] | None = None
    host = Host(lambda: _reply(replies, {"id": request and request["id"], "loaded": True}))
    while (request := read(requests)) is not None:
        reply = host.answer(request)
        if os.getpid() != pid:  # the environment forked, and this is the child
            os._exit(1)
        signal.setitimer(signal.ITIMER_REAL, 0)  # an alarm that it left behind
        os.fchdir(folder)
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):  # which it has closed
                stream.flush()
        _reply(replies, {"id": request["id"], **reply})


def _reply(replies: BinaryIO, message: dict[str, Any]) -> None:
    replies.write(pack(message))
    replies.flush()


def _fault(path: str, what: str, error: BaseException) -> Fault:
    name = f"environment {path}"
    if isinstance(error, ConfigError):
        return Fault("setup", f"{name}: {error}")
    if isinstance(error, wire.NonsenseError):
        return Fault("result", f"{name}: {error}")
    return Fault("raised", f"{name} raised {line(error)} in {'reset' if what == 'begin' else what}", tail(error))


if __name__ == "__main__":
    main()
