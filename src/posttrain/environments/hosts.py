"""The processes that hold the episodes of a run: asked, watched, and killed when one hangs.

Several episodes live in each process. When one of them kills it, the others are played again from their seeds and
actions in a new one, the next time that they are asked.
"""

from __future__ import annotations

import os
import weakref
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from posttrain.environments import wire
from posttrain.environments.environment import Action, Outcome
from posttrain.environments.recorded import Key, Recorded
from posttrain.environments.wire import Opening
from posttrain.errors import ConfigError
from posttrain.records import Prompt
from posttrain.rewards.workers.call import Fault
from posttrain.rewards.workers.children import Child, start_python
from posttrain.rewards.workers.killable import KillableProcess, wait
from posttrain.rewards.workers.outcome import fault_from
from posttrain.rewards.workers.printed import Printed

Answer = Opening | Outcome | Fault
Past = Sequence[tuple[Action, Outcome]]


@dataclass
class Held:
    """An episode as this side knows it: what a new process needs to play it again."""

    number: int
    host: Host
    prompt: Prompt
    seed: int
    past: list[tuple[dict[str, Any], dict[str, Any]]]
    moment: int
    alive: bool = False  # whether its process holds it
    behind: bool = False  # whether what its process holds lacks answers that were recorded

    @property
    def key(self) -> Key:
        """Its next answer in the record."""
        return self.moment, self.seed, len(self.past)


@dataclass
class Ask:
    """Something asked of an episode: begin, step or end. `quiet`: nobody waits for the answer."""

    episode: Held
    what: str
    action: dict[str, Any] | None = None
    quiet: bool = False


@dataclass(eq=False)
class Host:
    """A process, what waits for it, and what it is busy with."""

    process: KillableProcess | None = None
    queue: deque[Ask] = field(default_factory=deque)
    busy: Ask | None = None


class Hosts:
    """Plays episodes of one environment in `workers` processes, started when first needed.

    `timeout`: seconds of one step, of an episode's beginning, or of its end. `memory`: GB of one process. A fault ends
    its episode. `printed` collects what environments print. `recorded`: the answers of an environment that does not
    replay, which are taken from there if an earlier attempt of the run got them.
    """

    def __init__(
        self,
        path: str,
        settings: Mapping[str, Any],
        *,
        workers: int = 2,
        timeout: float = 30.0,
        memory: float = 4.0,
        recorded: Recorded | None = None,
        start: Callable[..., Child] = start_python,
    ) -> None:
        self.path = path
        self.settings = dict(settings)
        self.timeout = timeout
        self.printed: deque[Printed] = deque()
        self.recorded = recorded
        self._known: list[tuple[Any, Answer]] = []  # answers that were recorded
        self._start = partial(start, "posttrain.environments.host", str(memory))
        self._hosts = [Host() for _ in range(workers)]
        self._episodes: dict[Any, Held] = {}
        self._numbers = 0
        self._finalizer = weakref.finalize(self, _kill_all, self._hosts, os.getpid())  # when close was forgotten

    # ---- asking

    def begin(self, key: Any, prompt: Prompt, seed: int, past: Past = (), *, moment: int = 0) -> None:
        """Ask for the opening of an episode, with what was played already.

        `moment`: the training steps before it, which tell apart episodes of the same seed.
        """
        host = min(self._hosts, key=lambda h: sum(e.host is h for e in self._episodes.values()))
        played = [(wire.plain_action(a), wire.plain_outcome(o)) for a, o in past]
        self._episodes[key] = Held(self._numbers, host, prompt, seed, played, moment)
        self._numbers += 1
        host.queue.append(Ask(self._episodes[key], "begin"))

    def step(self, key: Any, action: Action) -> None:
        """Ask an episode for its answer to an action."""
        episode, plain = self._episodes[key], wire.plain_action(action)
        known = self.recorded and self.recorded.take((episode.moment, episode.seed, len(episode.past) + 1), plain)
        if not known:
            episode.host.queue.append(Ask(episode, "step", plain))
            return
        episode.past.append((plain, known))
        episode.behind = True
        self._known.append((key, wire.outcome_of(known)))
        if known["done"]:
            self.end(key)

    def end(self, key: Any) -> None:
        """End an episode that is not done; one that is, or had a fault, has ended by itself."""
        episode = self._episodes.pop(key, None)
        if episode is not None and episode.alive:
            episode.host.queue.append(Ask(episode, "end", quiet=True))

    # ---- answers

    def ready(self, *, block: bool) -> list[tuple[Any, Answer]]:
        """Return the answers that are there; with `block` at least one, unless nothing was asked.

        Raises ConfigError where the environment cannot be made at all.
        """
        while True:
            for host in self._hosts:
                self._feed(host)
            if self._known:
                known, self._known = self._known, []
                return known
            busy = {h.process: h for h in self._hosts if h.busy and h.process}
            if not busy:
                return []
            waiting = block and any(not a.quiet for h in self._hosts for a in (h.busy, *h.queue) if a)
            wait(busy, block=waiting)
            answers = [answer for host in busy.values() for answer in self._collect(host)]
            if answers or not waiting:
                return answers

    def _feed(self, host: Host) -> None:
        """Give a process that is free its next message."""
        if host.busy or not host.queue:
            return
        ask = host.queue.popleft()
        if host.process is None or not host.process.usable():
            self._lost(host)
            host.process = KillableProcess(self._start())
        if not ask.episode.alive and ask.what == "end":
            self._feed(host)
            return
        if ask.what == "step" and (ask.episode.behind or not ask.episode.alive):
            host.queue.appendleft(ask)
            ask = Ask(ask.episode, "begin", quiet=True)
        self._send(host.process, ask)
        host.busy = ask

    def _send(self, process: KillableProcess, ask: Ask) -> None:
        e = ask.episode
        message: dict[str, Any] = {"what": ask.what, "episode": e.number, "path": self.path, "action": ask.action}
        limit = self.timeout
        if ask.what == "begin":
            message |= {"settings": self.settings, "seed": e.seed, "past": e.past}
            message["prompt"] = wire.plain_prompt(e.prompt)
            limit *= 1 + len(e.past)
        try:
            process.send(f"environment {self.path}", message, limit)
        except (TypeError, ValueError, RecursionError) as error:
            where = e.prompt.where or f"prompt {e.prompt.id}"
            raise ConfigError(f"{where} cannot be sent to the process of the environment: {error}") from error

    def _collect(self, host: Host) -> list[tuple[Any, Answer]]:
        """Return the answer of a process, if it is there and somebody waits for it."""
        assert host.process is not None
        assert host.busy is not None
        answer = host.process.receive(_answer)
        if answer is None:
            return []
        ask, host.busy = host.busy, None
        e = ask.episode
        if text := host.process.printed.text:
            self.printed.append(Printed(self.path, text, noun="environment"))
        if not isinstance(answer, Fault):
            return self._answered(ask, answer)
        if answer.kind == "setup":
            raise ConfigError(answer.message)
        if not host.process.usable():
            self._lost(host)
        host.queue = deque(a for a in host.queue if a.episode is not e)
        return [] if ask.what == "end" else self._given(e, answer)

    def _answered(self, ask: Ask, answer: Opening | Outcome | bool) -> list[tuple[Any, Answer]]:
        e = ask.episode
        e.alive, e.behind = ask.what != "end", False
        if isinstance(answer, Opening) and not ask.quiet and self.recorded:
            answer = self._opening(e, self.recorded, answer)
        if isinstance(answer, Outcome) and ask.action is not None:
            e.past.append((ask.action, wire.plain_outcome(answer)))
            if self.recorded:
                self.recorded.add(e.key, *e.past[-1])
        return [] if ask.quiet or isinstance(answer, bool) else self._given(e, answer)

    def _opening(self, episode: Held, recorded: Recorded, answer: Opening) -> Opening:
        """Return how the episode began in an earlier attempt, or record how it begins."""
        key = (episode.moment, episode.seed, 0)
        if known := recorded.take(key, None):
            return wire.opening_of(known)
        recorded.add(key, None, wire.plain_opening(answer.messages, answer.tools))
        return answer

    def _given(self, episode: Held, answer: Answer) -> list[tuple[Any, Answer]]:
        keys = [key for key, e in self._episodes.items() if e is episode]
        if isinstance(answer, Fault) or (isinstance(answer, Outcome) and answer.done):
            for key in keys:
                del self._episodes[key]
        return [(key, answer) for key in keys]

    def _lost(self, host: Host) -> None:
        """Forget what a process held that is no longer there."""
        if host.process is not None:
            host.process.kill()
            host.process = None
        for episode in self._episodes.values():
            episode.alive = episode.alive and episode.host is not host

    def abandon(self) -> None:
        """Forget all episodes, and end the processes that are busy with one."""
        for host in self._hosts:
            host.queue.clear()
            if host.busy is not None:
                host.busy = None
                self._lost(host)
        self._episodes.clear()
        self._known.clear()

    def close(self) -> None:
        """End all processes."""
        self._finalizer()
        self._episodes.clear()
        if self.recorded is not None:
            self.recorded.close()


def _answer(message: Mapping[str, Any]) -> Opening | Outcome | Fault | bool:
    if "fault" in message:
        return fault_from(message["fault"])
    if "opening" in message:
        return wire.opening_of(message["opening"])
    if "outcome" in message:
        return wire.outcome_of(message["outcome"])
    if message.get("ended") is True:
        return True
    raise ValueError("a reply without opening or outcome")


def _kill_all(hosts: Sequence[Host], owner: int) -> None:
    for host in hosts:
        if host.process is not None and os.getpid() == owner:  # a forked child of the trainer must leave them alone
            host.process.kill()
            host.process = None
