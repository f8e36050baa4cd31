"""What the procedures do in which a speaker writes programs or settings for a small learner."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from posttrain.catalogue.index import load_procedure
from posttrain.errors import NumericsError
from posttrain.learners.coding.reward_code import RewardTable, read_reward
from posttrain.sandbox.limits import Limits
from posttrain.sandbox.plain import Plain
from posttrain.search.evolution.archive import Archive
from tests.harness.learning_session import LearningSession, ending
from tests.procedures.transcripts.learning import LearningScenario

READ: dict[str, Any] = {}
SMALL = {"world": "chain", "options": {"length": 4}, "speaker": "writer", "q": {"episodes": 4}, "seeds": 2}
MISTAKEN = {"accuracy": {"writer": 0.6, "person": 0.8}}


def once(read: Callable[..., RewardTable | str]) -> Callable[..., RewardTable | str]:
    """Read a program once in all runs of a scenario: many mutants run the same programs in the same world."""

    def reading(world: Any, table: Any, program: str, tier: Any, limits: Any) -> RewardTable | str:
        key = f"{world.actions} {len(table.states)} {program} {tier.name} {limits}"
        if key not in READ:
            READ[key] = read(world, table, program, tier, limits)
        return READ[key]

    return reading


@dataclass(frozen=True)
class ProgramScenario(LearningScenario):
    """A scenario in which programs are run, without a sandbox because they are ours."""

    def run(self) -> list[str]:
        plain = lambda *_, **__: (Plain(), Limits(seconds=20.0))  # noqa: E731
        with (
            patch("posttrain.learners.coding.reward_search.read_reward", once(read_reward)),
            patch("posttrain.procedures.programming.isolation", plain),
        ):
            return super().run()


@dataclass(frozen=True)
class StrategyScenario(LearningScenario):
    """A scenario that looks at what is searched for and does not search: strategies, settings and speakers."""

    def run(self) -> list[str]:
        session = LearningSession(**self.script)
        say = session.transcript.append

        def evolve(name: str, strategy: Any, write: Any, evaluate: Any, **how: Any) -> Archive:
            settings = {"rounds": strategy.rounds, **strategy.settings}
            search = write.__self__
            assert evaluate.__self__ is search
            roles = [None if x is None else x.role for x in (search.speaker, search.critic, search.judge)]
            shape = [*search.world.table().P.shape]
            about = f"{type(search.world).__name__} {shape} {vars(search.settings)} {search.seed} {roles}"
            say(f"evolve {name}: {strategy.course.__name__} {settings} {[*how]} of {about}")
            return Archive()

        def isolated(*given: Any, **how: Any) -> tuple[Any, Any]:
            say(f"isolation {given} {how}")
            return Plain(), Limits(seconds=20.0)

        session.evolve = evolve  # type: ignore[method-assign]
        compared = lambda session, world, helped, alone, seeds: {"seeds": seeds}  # noqa: E731
        with (
            patch("posttrain.procedures.programming.isolation", isolated),
            patch("posttrain.procedures.programming.compared", compared),
        ):
            end = ending(load_procedure(self.path)(session, **self.settings))
        return [" ".join(line.split()) for line in (*session.transcript, end)]


@dataclass(frozen=True)
class TrialScenario(LearningScenario):
    """A scenario whose runs are not run: the result is the setting x; above 1 it diverges, above 2 it is infinite."""

    def run(self) -> list[str]:
        session = LearningSession(**self.script)

        def trial(name: str, file: str, changes: Any) -> float:
            session.transcript.append(f"trial {name} of {file} with {dict(changes)}")
            if 1 < changes["x"] <= 2:
                raise NumericsError("the loss is NaN")
            return float(changes["x"]) if changes["x"] <= 1 else float("inf")

        def last_value(run: float, measure: str) -> float:
            session.transcript.append(f"read {measure}")
            return run

        session.trial = trial  # type: ignore[attr-defined]
        with patch("posttrain.procedures.programs.tune_run.last_value", last_value):
            end = ending(load_procedure(self.path)(session, **self.settings))
        return [" ".join(line.split()) for line in (*session.transcript, end)]


@dataclass(frozen=True)
class WatchedScenario(LearningScenario):
    """A scenario whose reward is not fitted: a state is worth the share of its comparisons that it won."""

    def run(self) -> list[str]:
        fitted: list[str] = []

        def learned_reward(world: Any, states: Any, said: Any, *, seed: int, members: int) -> dict[Any, float]:
            wins = dict.fromkeys(states, 0.0)
            for p in said:
                if p.first is not None:
                    wins[p.one if p.first else p.other] += 1 / len(said)
                    wins[p.other if p.first else p.one] -= 1 / len(said)
            fitted.append(f"fit {len(states)} {len(said)} {seed} {members}")
            return wins

        with patch("posttrain.procedures.programs.rl_vlm_f.learned_reward", learned_reward):
            return [*super().run(), *fitted]


OTHERWISE = {
    "world": "chain",
    "options": {"length": 5},
    "speaker": "writer",
    "q": {"episodes": 7},
    "seeds": 3,
    "sandbox": "wasm",
    "numpy": True,
    "seconds": 4.0,
}
PROGRAMS = (
    StrategyScenario(
        "programs/text2reward",
        transcript="""
        isolation ('auto',) {'seconds': 3.0, 'numpy': False}
        evolve text2reward: refine {'rounds': 2, 'repairs': 3} [] of KeyDoor [51, 5, 51] {'episodes': 200, 'rate':
            0.5, 'decay': 0.0, 'power': 1.0, 'explore': 0.1, 'horizon': 100, 'double': False} 8269377878375759
            ['speaker', None, None]
        artefact archive: [{"survivors": [], "ended": []}]
        note no program works, so the world's own reward stays
        return seeds=5
        """,
    ),
    StrategyScenario(
        "programs/text2reward",
        settings={**OTHERWISE, "rounds": 5, "repairs": 1, "critic": "person"},
        transcript="""
        isolation ('wasm',) {'seconds': 4.0, 'numpy': True}
        evolve text2reward: refine {'rounds': 5, 'repairs': 1} [] of Chain [5, 2, 5] {'episodes': 7, 'rate': 0.5,
            'decay': 0.0, 'power': 1.0, 'explore': 0.1, 'horizon': 100, 'double': False} 8269377878375759
            ['writer', 'person', None]
        artefact archive: [{"survivors": [], "ended": []}]
        note no program works, so the world's own reward stays
        return seeds=3
        """,
    ),
    StrategyScenario(
        "programs/eureka",
        transcript="""
        isolation ('auto',) {'seconds': 3.0, 'numpy': False}
        evolve eureka: beam {'rounds': 5, 'branching': 16} [] of KeyDoor [51, 5, 51] {'episodes': 200, 'rate':
            0.5, 'decay': 0.0, 'power': 1.0, 'explore': 0.1, 'horizon': 100, 'double': False} 8269377878375759
            ['speaker', None, None]
        artefact archive: [{"survivors": [], "ended": []}]
        note no program works, so the world's own reward stays
        return seeds=5
        """,
    ),
    StrategyScenario(
        "programs/eureka",
        settings={**OTHERWISE, "iterations": 2, "samples": 3},
        transcript="""
        isolation ('wasm',) {'seconds': 4.0, 'numpy': True}
        evolve eureka: beam {'rounds': 2, 'branching': 3} [] of Chain [5, 2, 5] {'episodes': 7, 'rate': 0.5,
            'decay': 0.0, 'power': 1.0, 'explore': 0.1, 'horizon': 100, 'double': False} 8269377878375759
            ['writer', None, None]
        artefact archive: [{"survivors": [], "ended": []}]
        note no program works, so the world's own reward stays
        return seeds=3
        """,
    ),
    StrategyScenario(
        "programs/revolve",
        transcript="""
        isolation ('auto',) {'seconds': 3.0, 'numpy': False}
        evolve revolve: islands {'rounds': 7, 'count': 4, 'children': 4, 'size': 8, 'crossover': 0.5, 'migration':
            0.3, 'matches': 0, 'seed': 8570278962417098} ['compare'] of KeyDoor [51, 5, 51] {'episodes': 200,
            'rate': 0.5, 'decay': 0.0, 'power': 1.0, 'explore': 0.1, 'horizon': 100, 'double': False}
            8269377878375759 ['speaker', None, None]
        artefact archive: [{"survivors": [], "ended": []}]
        note no program works, so the world's own reward stays
        return seeds=5
        """,
    ),
    StrategyScenario(
        "programs/revolve",
        settings={"judge": "person"},
        transcript="""
        isolation ('auto',) {'seconds': 3.0, 'numpy': False}
        evolve revolve: islands {'rounds': 7, 'count': 4, 'children': 4, 'size': 8, 'crossover': 0.5, 'migration':
            0.3, 'matches': 4, 'seed': 8570278962417098} ['compare'] of KeyDoor [51, 5, 51] {'episodes': 200,
            'rate': 0.5, 'decay': 0.0, 'power': 1.0, 'explore': 0.1, 'horizon': 100, 'double': False}
            8269377878375759 ['speaker', None, 'person']
        artefact archive: [{"survivors": [], "ended": []}]
        note no program works, so the world's own reward stays
        return seeds=5
        """,
    ),
    StrategyScenario(
        "programs/revolve",
        settings={
            **OTHERWISE,
            "judge": "person",
            "generations": 3,
            "count": 2,
            "children": 5,
            "size": 6,
            "crossover": 0.7,
            "migration": 0.9,
            "matches": 9,
        },
        transcript="""
        isolation ('wasm',) {'seconds': 4.0, 'numpy': True}
        evolve revolve: islands {'rounds': 3, 'count': 2, 'children': 5, 'size': 6, 'crossover': 0.7, 'migration':
            0.9, 'matches': 9, 'seed': 8570278962417098} ['compare'] of Chain [5, 2, 5] {'episodes': 7, 'rate':
            0.5, 'decay': 0.0, 'power': 1.0, 'explore': 0.1, 'horizon': 100, 'double': False} 8269377878375759
            ['writer', None, 'person']
        artefact archive: [{"survivors": [], "ended": []}]
        note no program works, so the world's own reward stays
        return seeds=3
        """,
    ),
    ProgramScenario(
        "programs/text2reward",
        settings={**SMALL, "rounds": 3, "repairs": 1, "critic": "person"},
        script=MISTAKEN,
        transcript="""
        answer writer: 1 837b0137
        answer person: 1 06d54c2a
        answer writer: 1 31d989e9
        answer person: 1 06d54c2a
        answer writer: 1 31d989e9
        evolve text2reward: 3 in 3 02a2f6f1
        artefact archive: 13788 02a2f6f1
        artefact reward.py: 358 89399596
        artefact table: 315 e657dac0
        artefact curves: {"helped": [0.805419, 0.818796, 0.868253, 0.9025], "alone": [0.533104, 0.523536,
            0.482438, 0.500681]}
        note helped 0.849, alone 0.510: gain +0.339 [-4.218, +4.896]
        return helped=0.848742 alone=0.50994 gain=0.338802 gain/low=-4.21835 gain/high=4.89596
        """,
    ),
    ProgramScenario(
        "programs/text2reward",
        settings=SMALL,
        script={"accuracy": {"writer": 0.0}},
        transcript="""
        answer writer: 1 f51e2f15
        answer writer: 1 ed9957e6
        answer writer: 1 7d6c5ffc
        answer writer: 1 c8c15b09
        evolve text2reward: 4 in 4 1372058b
        artefact archive: 12018 1372058b
        artefact reward.py: 360 2c660356
        artefact table: 324 e6456f8d
        artefact curves: {"helped": [0.533104, 0.112292, 0.0655577, 0.00937028], "alone": [0.533104, 0.523536,
            0.482438, 0.500681]}
        note helped 0.180, alone 0.510: gain -0.330 [-3.888, +3.228]
        return helped=0.180081 alone=0.50994 gain=-0.329859 gain/low=-3.88803 gain/high=3.22831
        """,
    ),
    ProgramScenario(
        "programs/revolve",
        settings={**SMALL, "judge": "person", "generations": 3, "count": 2, "children": 2, "matches": 2},
        script=MISTAKEN,
        transcript="""
        answer writer: 4 d4013495
        answer writer: 4 64127bec
        answer writer: 4 e7efadef
        answer person: 1 e6ec4c39
        evolve revolve: 12 in 3 c68447bf
        artefact archive: 50520 c68447bf
        artefact reward.py: 358 89399596
        artefact table: 315 e657dac0
        artefact curves: {"helped": [0.805419, 0.818796, 0.868253, 0.9025], "alone": [0.533104, 0.523536,
            0.482438, 0.500681]}
        note helped 0.849, alone 0.510: gain +0.339 [-4.218, +4.896]
        return helped=0.848742 alone=0.50994 gain=0.338802 gain/low=-4.21835 gain/high=4.89596
        """,
    ),
    LearningScenario(
        "programs/proxy_reward",
        script={"accuracy": {"speaker": 0.6}},
        transcript="""
        answer speaker: 1 996aa696
        answer speaker: 1 429a4130
        answer speaker: 1 554b7c18
        answer speaker: 1 bf7f5dac
        artefact table: {"Two players move at the same time. The payoffs of both: A A: 3 and 3; A B: 0 and 5; B A:
            5 and 0; B B: 1 and 1.": {"A A": 0.0, "A B": 0.0, "B A": 0.0, "B B": 0.0}}
        artefact curves: 2023 6dcf0cb3
        note helped 0.244, alone 0.244: gain +0.000 [+0.000, +0.000]
        return helped=0.244 alone=0.244 gain=0 gain/low=0 gain/high=0 labels/read=1 labels/right=0.75 reached=1
        """,
    ),
    LearningScenario(
        "programs/proxy_reward",
        settings={
            "options": {"objective": "equality"},
            "speaker": "writer",
            "objective": "be fair",
            "examples": "Both got 1: yes",
            "q": {"episodes": 6},
            "seeds": 3,
        },
        script={"accuracy": {"writer": 0.8}},
        transcript="""
        answer writer: 1 330ff925
        answer writer: 1 bb48ac4f
        answer writer: 1 4ce5f284
        answer writer: 1 120d27b3
        artefact table: {"Two players move at the same time. The payoffs of both: A A: 3 and 3; A B: 0 and 5; B A:
            5 and 0; B B: 1 and 1.": {"A A": 0.5, "A B": 0.0, "B A": 0.0, "B B": 0.875}}
        artefact curves: {"helped": [0.666667, 0.333333, 0.666667, 1.0, 1.0, 1.0], "alone": [0.666667, 0.333333,
            1.0, 1.0, 0.333333, 1.0]}
        note helped 0.778, alone 0.722: gain +0.056 [-0.183, +0.295]
        return helped=0.777778 alone=0.722222 gain=0.0555556 gain/low=-0.183481 gain/high=0.294592 labels/read=1
            labels/right=0.75 reached=1
        """,
    ),
    LearningScenario(
        "programs/proxy_reward",
        settings={"world": "chain", "q": {"episodes": 3}, "seeds": 2},
        transcript="""
        answer speaker: 1 2e34baf2
        artefact table: 727 f036f40b
        artefact curves: {"helped": [0.246552, 0.139059, 0.120759], "alone": [0.246552, 0.132794, 0.164283]}
        note helped 0.169, alone 0.181: gain -0.012 [-0.645, +0.620]
        return helped=0.16879 alone=0.181209 gain=-0.0124196 gain/low=-0.645236 gain/high=0.620397 labels/read=1
            labels/right=1 reached=0.239503
        """,
    ),
    LearningScenario(
        "programs/tune_learner",
        settings={"world": "chain", "q": {"episodes": 2}},
        script={"accuracy": 0.5},
        transcript="""
        answer speaker: 1 32377284
        answer speaker: 1 3b921052
        answer speaker: 1 47eb01df
        answer speaker: 1 d2b85b62
        evolve proposed: 4 in 4 ccb995e4
        evolve random: 4 in 4 6e6875ba
        artefact settings: {"proposed": {"decay": 0.08939, "double": true, "explore": 0.4442, "rate": 0.2765},
            "random": {"decay": 0.01978, "double": true, "explore": 0.8042, "rate": 0.03931}}
        artefact table: 740 1fd91224
        artefact curves: {"helped": [0.0855163, 0.375159], "alone": [0.127631, 0.220271]}
        note helped 0.230, alone 0.174: gain +0.056 [-0.098, +0.211]
        return helped=0.230337 alone=0.173951 gain=0.0563866 gain/low=-0.0978761 gain/high=0.210649
        """,
    ),
    LearningScenario(
        "programs/tune_learner",
        settings={
            "options": {"size": 2},
            "speaker": "writer",
            "space": {"rate": {"from": 0.1, "to": 0.9}, "double": [True, False]},
            "known": {"rate": 0.7, "double": True},
            "rounds": 3,
            "samples": 2,
            "q": {"episodes": 9},
            "trials": 2,
            "seeds": 2,
        },
        script={"accuracy": {"writer": 0.5}},
        transcript="""
        answer writer: 2 f91d62d7
        answer writer: 2 8a3a3222
        answer writer: 2 8974215d
        evolve proposed: 6 in 3 dc57d84c
        evolve random: 6 in 3 77114224
        artefact settings: {"proposed": {"double": false, "rate": 0.6767}, "random": {"double": false, "rate":
            0.8922}}
        artefact table: 1363 495f9ff6
        artefact curves: {"helped": [0.0497201, 0.283249, 0.316919, 0.0964636, 0.399348, 0.566133, 0.773781,
            0.735092, 0.773781], "alone": [0.0497201, 0.283249, 0.316919, 0.0964636, 0.399348, 0.566133, 0.773781,
            0.735092, 0.773781]}
        note helped 0.444, alone 0.444: gain +0.000 [+0.000, +0.000]
        return helped=0.443832 alone=0.443832 gain=0 gain/low=0 gain/high=0
        """,
    ),
    LearningScenario(
        "programs/tune_learner",
        settings={"world": "chain", "space": {"decay": [0.0]}, "q": {"episodes": 2}, "rounds": 1, "seeds": 2},
        script={"says": lambda role, text: "I do not know."},
        transcript="""
        answer speaker: 1 c6fae12b
        evolve proposed: 1 in 1 7ee7528c
        evolve random: 1 in 1 df450fdd
        artefact settings: {"proposed": {}, "random": {"decay": 0.0}}
        artefact table: 724 578bb649
        artefact curves: {"helped": [0.280461, 0.145411], "alone": [0.280461, 0.145411]}
        note helped 0.213, alone 0.213: gain +0.000 [+0.000, +0.000]
        return helped=0.212936 alone=0.212936 gain=0 gain/low=0 gain/high=0
        """,
    ),
    TrialScenario(
        "programs/tune_run",
        settings={"run": "a.yaml", "space": {"x": {"from": 0.0, "to": 1.0}}, "known": {"x": 0.8}},
        script={"accuracy": 0.5},
        transcript="""
        answer speaker: 2 d87cfffe
        trial trial-0 of a.yaml with {'x': 0.3893}
        read reward
        trial trial-1 of a.yaml with {'x': 0.8}
        read reward
        answer speaker: 2 86c76865
        trial trial-2 of a.yaml with {'x': 0.1799}
        read reward
        answer speaker: 2 1176c57b
        answer speaker: 2 a02d2303
        evolve settings: 8 in 4 e1a7726c
        artefact settings: {"x": 0.8}
        artefact archive: 4382 e1a7726c
        return reward=0.8
        """,
    ),
    TrialScenario(
        "programs/tune_run",
        settings={
            "run": "b.yaml",
            "space": {"x": {"from": 0.0, "to": 2.0}},
            "measure": "loss",
            "smaller": True,
            "speaker": "writer",
            "known": {"x": 0.5},
            "rounds": 2,
            "samples": 3,
        },
        script={"accuracy": {"writer": 0.4}},
        transcript="""
        answer writer: 3 90f78a8b
        trial trial-0 of b.yaml with {'x': 0.5}
        read loss
        trial trial-1 of b.yaml with {'x': 0.7786}
        read loss
        trial trial-2 of b.yaml with {'x': 0.3599}
        read loss
        answer writer: 3 51fa5c31
        trial trial-5 of b.yaml with {'x': 1.442}
        evolve settings: 6 in 2 cd184b0e
        artefact settings: {"x": 0.3599}
        artefact archive: 2996 cd184b0e
        return loss=0.3599
        """,
    ),
    TrialScenario(
        "programs/tune_run",
        settings={
            "run": "c.yaml",
            "measure": "score",
            "space": {"x": [1.5, 3.0]},
            "known": {"x": 3.0},
            "rounds": 2,
            "samples": 1,
        },
        transcript="""
        answer speaker: 1 45344763
        trial trial-0 of c.yaml with {'x': 3.0}
        read score
        answer speaker: 1 9e18ab4c
        evolve settings: 2 in 2 67794543
        artefact settings: {}
        artefact archive: 1262 67794543
        return
        """,
    ),
    LearningScenario(
        "programs/vlm_rm",
        settings={"q": {"episodes": 2}},
        transcript="""
        artefact rewards: 5554 e02bf77c
        artefact table: 7368 52b631ed
        artefact curves: {"helped": [0.0, 0.0], "alone": [0.0, 0.0]}
        note helped 0.000, alone 0.000: gain +0.000 [+0.000, +0.000]
        return helped=0 alone=0 gain=0 gain/low=0 gain/high=0 agreement=0.745679
        """,
    ),
    LearningScenario(
        "programs/vlm_rm",
        settings={
            "world": "chain",
            "options": {"length": 4},
            "goal": "place 3",
            "baseline": "place 0",
            "alpha": 0.8,
            "q": {"episodes": 3},
            "seeds": 2,
        },
        transcript="""
        artefact rewards: 323 7b005d6f
        artefact table: 337 b63d4ce7
        artefact curves: {"helped": [0.805419, 0.82509, 0.814681], "alone": [0.533104, 0.523536, 0.482438]}
        note helped 0.815, alone 0.513: gain +0.302 [-4.414, +5.018]
        return helped=0.815063 alone=0.513026 gain=0.302038 gain/low=-4.41387 gain/high=5.01795 agreement=0.833333
        """,
    ),
    LearningScenario(
        "programs/vlm_rm",
        settings={"encoder": "/nowhere"},
        transcript="""
        ModelError: /nowhere: no such folder; give that of a CLIP model, or encoder: captions offline
        """,
    ),
    WatchedScenario(
        "programs/rl_vlm_f",
        settings={"q": {"episodes": 2}},
        script={"accuracy": 0.8},
        transcript="""
        answer speaker: 60 9b4d126b
        answer speaker: 60 f53c513a
        answer speaker: 60 7dc8605f
        answer speaker: 60 ca6ffbf0
        answer speaker: 60 7b1ec636
        answer speaker: 60 168a381a
        artefact rewards: 5603 11409628
        artefact table: 7290 77632779
        artefact curves: {"helped": [0.0, 0.0], "alone": [0.0, 0.0]}
        note helped 0.000, alone 0.000: gain +0.000 [+0.000, +0.000]
        return helped=0 alone=0 gain=0 gain/low=0 gain/high=0 labels/used=0.866667 agreement=0.746502
        fit 51 60 18716551298231112 3
        fit 51 120 64344674645359434 3
        fit 51 180 36607524587263188 3
        """,
    ),
    WatchedScenario(
        "programs/rl_vlm_f",
        settings={
            "world": "chain",
            "options": {"length": 4},
            "speaker": "watcher",
            "goal": "be far",
            "rounds": 2,
            "queries": 5,
            "describe": False,
            "members": 2,
            "q": {"episodes": 3},
            "seeds": 2,
        },
        script={"accuracy": {"watcher": 0.7}},
        transcript="""
        answer watcher: 5 d014f171
        answer watcher: 5 b90dc8b8
        artefact rewards: 306 3e30bba7
        artefact table: 327 1e9b5b61
        artefact curves: {"helped": [0.792247, 0.842653, 0.797119], "alone": [0.533104, 0.523536, 0.482438]}
        note helped 0.811, alone 0.513: gain +0.298 [-4.362, +4.958]
        return helped=0.810673 alone=0.513026 gain=0.297647 gain/low=-4.36248 gain/high=4.95777 labels/used=1
            agreement=0.666667
        fit 4 5 18716551298231112 2
        fit 4 10 64344674645359434 2
        """,
    ),
    WatchedScenario(
        "programs/rl_vlm_f",
        settings={
            "world": "chain",
            "encoder": "captions",
            "goal": "place 7",
            "margin": 0.1,
            "rounds": 1,
            "q": {"episodes": 3},
            "seeds": 2,
        },
        transcript="""
        artefact rewards: 657 1bc6485e
        artefact table: 767 affad0a7
        artefact curves: {"helped": [0.442086, 0.207868, 0.42542], "alone": [0.280461, 0.145411, 0.0896917]}
        note helped 0.358, alone 0.172: gain +0.187 [-1.107, +1.480]
        return helped=0.358458 alone=0.171855 gain=0.186603 gain/low=-1.10677 gain/high=1.47997 labels/used=0.2
            agreement=0.428571
        fit 8 60 18716551298231112 3
        """,
    ),
    WatchedScenario(
        "programs/rl_vlm_f",
        settings={"world": "chain", "encoder": "captions", "rounds": 1, "q": {"episodes": 3}},
        transcript="""
        artefact rewards: 622 324f8077
        artefact table: 767 7f737251
        artefact curves: {"helped": [0.220414, 0.442008, 0.438205], "alone": [0.17872, 0.15131, 0.111022]}
        note helped 0.367, alone 0.147: gain +0.220 [+0.112, +0.328]
        return helped=0.366876 alone=0.147017 gain=0.219858 gain/low=0.111799 gain/high=0.327918
            labels/used=0.166667 agreement=0.571429
        fit 8 60 18716551298231112 3
        """,
    ),
)
