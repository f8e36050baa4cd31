"""Playing episodes: turns are sampled together, and the environment answers each in a process of its own."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from math import fsum, isfinite
from statistics import fmean

import torch

from posttrain.core.method import Sampling
from posttrain.environments.environment import Action, Outcome
from posttrain.environments.hosts import Answer, Hosts
from posttrain.environments.wire import Opening
from posttrain.errors import DataError, RewardError
from posttrain.machine.kill_points import maybe_kill
from posttrain.records import Episode, Prompt
from posttrain.rewards.workers.call import Fault
from posttrain.sampling.request import Completion, Distribution, Request
from posttrain.sampling.statistics import written
from posttrain.training.episodes import Key, Names
from posttrain.training.play import Limits, Play
from posttrain.training.printed import keep_printed
from posttrain.training.run import Run
from posttrain.turns import turn_ends

_log = logging.getLogger(__name__)


def play(
    run: Run,
    hosts: Hosts,
    places: Sequence[tuple[Prompt, Key, Names]],
    sampling: Sampling,
    *,
    max_tokens: int | None = None,
    over: Callable[[int, Episode], None] = lambda *_: None,
) -> list[Episode]:
    """Play an episode for each place: a prompt, its key and the names that its seeds derive from.

    `over` is called with the place and the episode of each that is over, while others go on. `max_tokens` of a turn.
    """
    limits = _limits(run, max_tokens)
    plays = [Play(run, prompt, key, names, sampling, limits) for prompt, key, names in places]
    done: dict[int, Episode] = {}

    def ended(place: int) -> None:
        done[place] = plays[place].episode()
        over(place, done[place])

    rate, steps = run.file.scoring.max_error_rate, run.journal.steps
    playing = Playing(hosts, plays, max_error_rate=rate, ended=ended, moment=steps)
    try:
        playing.run(run, sampling.drawn_from, lockstep=_lockstep(run))
        _note(run, done.values())
    finally:
        if hosts.printed:
            keep_printed(run.journal, run.display, list(hosts.printed))
            hosts.printed.clear()
    return [done[place] for place in range(len(plays))]


def _note(run: Run, episodes: Iterable[Episode]) -> None:
    """Say once what the chat template left out of episodes, and that they have become several rows."""
    noticed, run.encoder.notices.counts = run.encoder.notices.counts, {}
    for text in noticed:
        run.warn(f"environment: {text}", f"in episodes {text}")
    if any(len(e.rows) > 1 for e in episodes):
        run.warn(
            "environment",
            "the chat template writes earlier turns otherwise once later ones follow (it may drop their thoughts), so "
            "an episode becomes several rows, each with what the policy really read and the reward of the episode; "
            "environment/extra_rows counts them",
        )


def _lockstep(run: Run) -> bool:
    """Whether the turns of all episodes are sampled together: their bits then depend on no clock."""
    section = run.file.environment
    assert section is not None
    on_cpu = run.file.device == "cpu" or not torch.cuda.is_available()
    return on_cpu if section.lockstep is None else section.lockstep


def _limits(run: Run, max_tokens: int | None) -> Limits:
    row, section = run.encoder.max_length, run.file.environment
    assert section is not None
    return Limits(
        turns=section.max_turns,
        turn_tokens=max_tokens or run.file.sampling.max_tokens,
        tokens=section.max_episode_tokens or row,
        row=row,
    )


def described(episodes: Sequence[Episode]) -> dict[str, float]:
    """Statistics of episodes that were played, by the names of metrics; none of other answers."""
    whole = [e for e in episodes if e.conversation and not e.error]
    failed = sum(bool(e.error) for e in episodes)
    if not whole and not failed:
        return {}
    turns = [len(turn_ends(e)) for e in whole] or [0]
    return {
        "environment/turns": fmean(turns),
        "environment/turns_max": float(max(turns)),
        "environment/cut": sum(bool(e.cut) for e in whole) / max(1, len(whole)),
        "environment/observed_tokens": fmean([len(e.tokens) - written(e) for e in whole] or [0]),
        "environment/extra_rows": float(sum(len(e.rows) - 1 for e in whole)),
        "errors/environment": float(failed),
        **noted(whole),
    }


def noted(episodes: Sequence[Episode]) -> dict[str, float]:
    """What environments count in their infos, such as calls: the sum over the turns of an episode, on average."""
    infos = [info for e in episodes for info in e.notes.get("environment", ())]
    numbers = [(name, x) for info in infos for name, x in info.items() if type(x) in (int, float) and isfinite(x)]
    names = sorted({name for name, _ in numbers})
    return {f"environment/info/{n}": fsum(x for name, x in numbers if name == n) / len(episodes) for n in names}


class Playing:
    """Plays episodes to their ends. `ended` is called with the place of each that ends, while others go on.

    Raises RewardError once the environment has failed in too large a part of them.
    """

    def __init__(
        self, hosts: Hosts, plays: Sequence[Play], *, max_error_rate: float, ended: Callable[[int], None], moment: int
    ) -> None:
        self.hosts = hosts
        self.plays = plays
        self.max_error_rate = max_error_rate
        self.ended = ended
        self.asked: list[Play] = []  # whose turn each request is, in the order of the requests
        self.actions: dict[int, Action] = {}  # by the place of the play, which the environment has not answered yet
        self.places = {id(play): place for place, play in enumerate(plays)}
        self.failed: list[str] = []
        for place, play in enumerate(plays):
            hosts.begin(place, play.prompt, play.seed, moment=moment)

    def run(self, run: Run, source: Distribution, *, lockstep: bool) -> None:
        """Sample the turns of all episodes, until all are over.

        With `lockstep` each turn is sampled for all episodes together, in their order: what is computed together
        does not depend on how fast the environment answers, nor do the last bits, as matrix products of other shapes
        round otherwise.
        """
        try:
            if not lockstep:
                run.generate((), source, partial(self.wrote, 0), arrivals=self)
            while lockstep and (requests := self._together()):
                run.generate(requests, source, partial(self.wrote, len(self.asked) - len(requests)))
        finally:
            self.hosts.abandon()

    @property
    def away(self) -> int:
        """The number of episodes whose turn the environment has not answered yet."""
        return len(self.actions)

    def take(self, wait: bool) -> list[Request]:
        """Return the requests for turns that can be sampled; with `wait` at least one, unless all is over."""
        while answers := self.hosts.ready(block=wait):
            if places := self._going_on(answers):
                return self._requests(places)
        return []

    def _together(self) -> list[Request]:
        """Return the requests for the next turn of all episodes that are not over."""
        places: list[int] = []
        while answers := self.hosts.ready(block=True):
            places += self._going_on(answers)
        return self._requests(sorted(places))

    def _requests(self, places: Sequence[int]) -> list[Request]:
        plays = [self.plays[place] for place in places]
        self.asked += plays
        return [play.request() for play in plays]

    def _going_on(self, answers: Sequence[tuple[int, Answer]]) -> list[int]:
        """Take in what the environment answered. Returns the places of the episodes that go on."""
        places: list[int] = []
        for place, answer in answers:
            play = self.plays[place]
            self._answered(place, play, answer)
            if play.over:
                self.hosts.end(place)
                self.ended(place)
            else:
                places.append(place)
        return places

    def wrote(self, first: int, number: int, completion: Completion) -> bool:
        """Let the environment answer a turn, that of a request counted from `first` on."""
        play = self.asked[first + number]
        place = self.places[id(play)]
        self.actions[place] = play.write(completion)
        maybe_kill("turn")
        self.hosts.step(place, self.actions[place])
        return False

    def _answered(self, place: int, play: Play, answer: Answer) -> None:
        """Go on with an episode. One that cannot go on has no score."""
        if isinstance(answer, Fault):
            self._fail(play, answer)
            return
        try:
            if isinstance(answer, Opening):
                play.open(answer)
            elif isinstance(answer, Outcome):
                play.answer(self.actions.pop(place), answer)
        except DataError as error:  # what the environment says does not go through the chat template
            self._fail(play, Fault("result", str(error)))

    def _fail(self, play: Play, fault: Fault) -> None:
        where = play.prompt.where or f"prompt {play.prompt.id}"
        play.fail(fault.message)
        self.failed.append(f"at {where}, turn {play.turns}: {fault.message}\n{fault.traceback}".rstrip())
        if len(self.failed) == 1:
            _log.warning("%s", self.failed[0])
        if len(self.failed) > self.max_error_rate * len(self.plays):
            raise RewardError(
                f"the environment failed in {len(self.failed)} of {len(self.plays)} episodes, more than "
                f"scoring.max_error_rate={self.max_error_rate:g} allows; correct it, raise environment.timeout where "
                f"it is only slow, or raise the rate. The first failure, {self.failed[0]}"
            )
