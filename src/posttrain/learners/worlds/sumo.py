"""A crossing of SUMO (Lopez et al., 2018), simulated car by car: a learner chooses which roads get green.

The light, its greens and what is shown between two of them are those of the network. A state is how many cars wait
before each green, and the green that is shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, cast

from posttrain.errors import ConfigError, MissingExtraError
from posttrain.learners.world import State, Step, Table, World

Phases = list[tuple[str, int]]  # signals of a light, and for how many seconds


class Sumo(World):
    """Reward of a step: minus the cars that wait before the light, as a mean over its seconds.

    Settings:
        config: the .sumocfg of a network and its traffic; any path from the current folder.
        light: id of a traffic light; null is the only one of the network.
        seconds: simulated seconds of green in a step; at least 1.
        longest: waiting cars that a state tells apart; at least 1.
        until: simulated second at which an episode ends, if its traffic has not ended before; at least 1.
        discount: how much a step later is worth; 0.9 to 1.
    """

    goal = "let as few cars wait before the traffic light as possible"
    running: ClassVar[Sumo | None] = None  # libsumo has one simulation in a process

    def __init__(
        self,
        *,
        config: str,
        light: str | None = None,
        seconds: int = 5,
        longest: int = 4,
        until: int = 600,
        discount: float = 0.95,
    ) -> None:
        try:
            import libsumo
        except ModuleNotFoundError as error:
            raise MissingExtraError("the world sumo", "sumo") from error
        self.sumo: Any = libsumo
        self.config = config
        self.seconds = seconds
        self.longest = longest
        self.until = until
        self.discount = discount
        self._start(0)
        self.light = _only(light, self.sumo.trafficlight.getIDList(), config)
        program = self.sumo.trafficlight.getAllProgramLogics(self.light)[0].phases
        self.greens, self.between = greens([(phase.state, int(phase.duration)) for phase in program])
        lanes = self.sumo.trafficlight.getControlledLanes(self.light)
        self.lanes = [tuple(dict.fromkeys(n for n, s in zip(lanes, g, strict=True) if s in "Gg")) for g in self.greens]
        roads = [dict.fromkeys(self.sumo.lane.getEdgeID(lane) for lane in served) for served in self.lanes]
        self.roads = [" and ".join(names) for names in roads]
        self.actions = tuple(f"green for {road}" for road in self.roads)
        self._green = 0

    def reset(self, seed: int) -> State:
        """Begin the traffic again, with the light at its first green."""
        self._start(seed)
        self._green = 0
        self.sumo.trafficlight.setRedYellowGreenState(self.light, self.greens[0])
        return self._state()

    def step(self, action: int) -> Step:
        """Give green; where it changes, what the light's own program shows in between comes before it."""
        if Sumo.running is not self:
            raise ConfigError(
                "libsumo has one simulation in a process, and another world has begun one since the reset"
            )
        shown = [*(self.between[self._green] if action != self._green else ()), (self.greens[action], self.seconds)]
        waited = [count for signals, seconds in shown for count in self._show(signals, seconds)]
        self._green = action
        over = self.sumo.simulation.getMinExpectedNumber() == 0 or self.sumo.simulation.getTime() >= self.until
        return Step(self._state(), -sum(waited) / len(waited), over)

    def describe(self, state: State) -> str:
        *waiting, green = cast(tuple[int, ...], state)
        counts = [f"{n} or more" if n == self.longest else str(n) for n in waiting]
        told = ", ".join(f"{n} cars wait on {road}" for n, road in zip(counts, self.roads, strict=True))
        return f"{told}. The light is green for {self.roads[green]}."

    def table(self) -> Table:
        raise ConfigError("a simulation of SUMO has no table; learn by acting in it")

    def _start(self, seed: int) -> None:
        """Begin a simulation, in place of the one that runs."""
        if not Path(self.config).is_file():
            raise ConfigError(
                f"world sumo: no file {self.config}; config is a .sumocfg, a path from the current folder"
            )
        quiet = ("--no-step-log", "--no-warnings", "--duration-log.disable")
        try:
            self.sumo.start(["sumo", "-c", self.config, *quiet, "--seed", str(seed % 2**31)])
        except self.sumo.TraCIException as error:
            raise ConfigError(f"world sumo: SUMO does not start {self.config}: {error}") from error
        Sumo.running = self

    def _show(self, signals: str, seconds: int) -> list[int]:
        """Show signals; how many cars wait in each second."""
        self.sumo.trafficlight.setRedYellowGreenState(self.light, signals)
        lanes, counts = dict.fromkeys(self.sumo.trafficlight.getControlledLanes(self.light)), []
        for _ in range(seconds):
            self.sumo.simulationStep()
            counts.append(sum(self.sumo.lane.getLastStepHaltingNumber(lane) for lane in lanes))
        return counts

    def _state(self) -> State:
        waiting = [sum(self.sumo.lane.getLastStepHaltingNumber(lane) for lane in lanes) for lanes in self.lanes]
        return (*(min(count, self.longest) for count in waiting), self._green)


def greens(program: Phases) -> tuple[list[str], list[Phases]]:
    """The greens of a light's program, and for each what is shown before the next one: yellow, then often red."""
    found: list[str] = []
    between: list[Phases] = []
    for signals, seconds in program:
        if set(signals) & set("Gg") and "y" not in signals.lower():
            found.append(signals)
            between.append([])
        elif between:
            between[-1].append((signals, seconds))
    return found, between


def _only(light: str | None, known: Sequence[str], config: str) -> str:
    if light in known:
        return str(light)
    if light is None and len(known) == 1:
        return known[0]
    raise ConfigError(f"world sumo: light {light!r}; {config} has {', '.join(known) or 'none'}")
