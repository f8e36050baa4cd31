"""Crossings of SUMO as worlds, on a stand-in for libsumo that knows one crossing: what is asked of it, and when."""

from __future__ import annotations

import sys
from types import SimpleNamespace as Space

import pytest

from posttrain.errors import ConfigError, MissingExtraError
from posttrain.learners.q_learning import Settings, q_learning
from posttrain.learners.questions import met
from posttrain.learners.worlds.sumo import Sumo, greens

PROGRAM = [("GrG", 20), ("yry", 3), ("rrr", 1), ("rGr", 20), ("ryr", 3)]
LANES = ("north_0", "east_0", "south_0")


class Libsumo(Space):
    """A car stops on each lane in every second of red, and all go at green. Traffic ends after `last` seconds."""

    class TraCIException(Exception):  # noqa: N818 -- its name
        pass

    def __init__(self, last=60):
        super().__init__(starts=[], shown=[], last=last)
        self.trafficlight = Space(
            getIDList=lambda: ("c",),
            getAllProgramLogics=lambda _: [Space(phases=[Space(state=s, duration=float(d)) for s, d in PROGRAM])],
            getControlledLanes=lambda _: LANES,
            setRedYellowGreenState=lambda _, signals: self.shown.append(signals),
        )
        self.lane = Space(
            getEdgeID=lambda lane: lane.removesuffix("_0"), getLastStepHaltingNumber=lambda lane: self.queue[lane]
        )
        self.simulation = Space(
            getTime=lambda: float(self.time), getMinExpectedNumber=lambda: int(self.time < self.last)
        )

    def start(self, command):
        if "broken" in command[2]:
            raise self.TraCIException("the file is broken")
        self.starts.append(command)
        self.time, self.queue = 0, dict.fromkeys(LANES, 0)

    def simulationStep(self):
        self.time += 1
        for lane, signal in zip(LANES, self.shown[-1], strict=True):
            self.queue[lane] = 0 if signal == "G" else self.queue[lane] + 1


@pytest.fixture
def fake(monkeypatch):
    fake = Libsumo()
    monkeypatch.setitem(sys.modules, "libsumo", fake)
    monkeypatch.setattr(Sumo, "running", None)
    return fake


@pytest.fixture
def config(tmp_path):
    (tmp_path / "a.sumocfg").write_text("<configuration/>")
    return str(tmp_path / "a.sumocfg")


def test_the_greens_of_a_program_and_what_comes_between():
    assert greens(PROGRAM) == (["GrG", "rGr"], [[("yry", 3), ("rrr", 1)], [("ryr", 3)]])


def test_a_step_shows_what_comes_between_two_greens_and_counts_who_waits(fake, config):
    world = Sumo(config=config, seconds=2, longest=3)
    assert world.actions == ("green for north and south", "green for east")
    assert world.reset(7) == (0, 0, 0)
    assert fake.starts[-1][-2:] == ["--seed", "7"]
    kept = world.step(0)
    assert (kept.state, kept.reward, kept.done) == ((0, 2, 0), -(1 + 2) / 2, False)
    changed = world.step(1)
    assert fake.shown[-4:] == ["GrG", "yry", "rrr", "rGr"]
    waited = [2 * 1 + 3, 2 * 2 + 4, 2 * 3 + 5, 2 * 4 + 6, 2 * 5, 2 * 6]
    assert (changed.state, changed.reward) == ((3, 0, 1), -sum(waited) / 6)
    assert fake.time == 2 + 4 + 2
    assert world.describe(changed.state) == (
        "3 or more cars wait on north and south, 0 cars wait on east. The light is green for east."
    )


def test_an_episode_ends_with_its_traffic_or_at_its_limit(fake, config):
    world = Sumo(config=config, seconds=30)
    world.reset(0)
    assert [world.step(0).done for _ in range(2)] == [False, True]
    early = Sumo(config=config, seconds=30, until=30)
    early.reset(0)
    assert early.step(0).done


def test_a_learner_learns_in_it(fake, config):
    world = Sumo(config=config)
    learned = q_learning(world, 0, Settings(episodes=3))
    assert len(learned.returns) == 3
    assert set(met(world, episodes=2)) <= {(n, e, g) for n in range(5) for e in range(5) for g in range(2)}
    with pytest.raises(ConfigError, match="no table; learn by acting"):
        world.table()


def test_one_simulation_in_a_process(fake, config):
    world = Sumo(config=config)
    world.reset(0)
    Sumo(config=config)
    with pytest.raises(ConfigError, match="one simulation in a process"):
        world.step(0)


def test_what_is_wrong_is_named(fake, config, tmp_path, monkeypatch):
    with pytest.raises(ConfigError, match="light 'd'; .*a.sumocfg has c"):
        Sumo(config=config, light="d")
    with pytest.raises(ConfigError, match="no file none.sumocfg"):
        Sumo(config="none.sumocfg")
    (tmp_path / "broken.sumocfg").write_text("")
    with pytest.raises(ConfigError, match="does not start .*the file is broken"):
        Sumo(config=str(tmp_path / "broken.sumocfg"))
    monkeypatch.setitem(sys.modules, "libsumo", None)
    with pytest.raises(MissingExtraError, match=r"world sumo needs .*posttrain\[sumo\]"):
        Sumo(config=config)
