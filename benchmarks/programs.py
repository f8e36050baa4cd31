"""How far programs, labels and settings of a speaker help as it gets worse: the gain for accuracies 0.5 to 1.

    python benchmarks/programs.py                  # all of them, about two minutes; prints a table for docs/programs.md
    python benchmarks/programs.py draw             # docs/programs.png of the numbers in benchmarks/programs.json
    python benchmarks/programs.py eureka rl_vlm_f  # some of them
    python benchmarks/programs.py compounding      # how errors of imitation and of online learning grow

Every point is the mean over scripted speakers with mistakes of their own, with Student's 95% interval. Programs run in
the best sandbox of the machine.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from statistics import fmean
from typing import Any

import posttrain
from posttrain.learners.coding.isolation import isolation
from posttrain.learners.coding.reward_search import RewardSearch
from posttrain.learners.compounding import cloned, online
from posttrain.learners.gain import gain
from posttrain.learners.guides.proxy import Proxy, Unrewarded
from posttrain.learners.q_learning import Hooks, Settings, q_learning
from posttrain.learners.seeing.encoder import CaptionEncoder
from posttrain.learners.seeing.preferences import learned_reward
from posttrain.learners.seeing.watching import learned, pairs_of, preferred, seen, values_of
from posttrain.learners.speaker import Question, Scripted
from posttrain.learners.tuning.setting_search import SettingSearch
from posttrain.learners.tuning.space import Space
from posttrain.learners.world import Floats, State, World
from posttrain.learners.worlds.key_door import KeyDoor
from posttrain.learners.worlds.matrix_game import MatrixGame
from posttrain.procedures.programs.tune_learner import KNOWN, SPACE, best_of
from posttrain.search.evolution.course import Strategy
from posttrain.search.evolution.driver import Evolution
from posttrain.search.evolution.strategies.beam import beam
from posttrain.search.evolution.strategies.islands import islands
from posttrain.search.evolution.strategies.refine import refine

NUMBERS = Path(__file__).with_name("programs.json")
ACCURACIES = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
SPEAKERS = 8
HORIZONS, MISTAKE = (10, 30, 100, 300, 1000), 0.001
ROOM, GAME = KeyDoor(), MatrixGame(objective="rawls")
SHORT = Settings(episodes=60)
DONE, BEGUN = "You hold the key. You stand at column 4, row 4. The door is open.", "You stand in a room."
RATE, PROMPTS = "train.learning_rate", "train.prompts_per_step"
KEYS: dict[str, list[Any]] = {RATE: [1e-5, 1e-4, 1e-3, 1e-2, 1e-1], PROMPTS: [1, 4]}  # of a run
Pair = tuple[float, float]  # the mean return with help, and without


def written(strategy: Strategy, *, judged: bool = False) -> Callable[[float, int], Pair]:
    """Search for reward code, and compare a learner that learns from the best with one that learns from the world."""

    def compared(accuracy: float, seed: int) -> Pair:
        tier, limits = isolation("auto", seconds=10.0, numpy=False)
        speaker = Scripted(accuracy, seed)
        search = RewardSearch(ROOM, speaker, SHORT, 1000 + seed, tier, limits, judge=speaker if judged else None)
        archive = Evolution(search.write, search.evaluate, search.compare).run(strategy)
        reward = None if archive.best is None else search.reward(str(archive.best.text))
        return search.tried(reward, seed).score, search.tried(None, seed).score

    return compared


def labelled(accuracy: float, seed: int) -> Pair:
    """Learn from labels of outcomes, and without any reward."""
    few = replace(SHORT, episodes=40)
    hooks = [Hooks(extras=[extra]) for extra in (Proxy(GAME, Scripted(accuracy, seed)), Unrewarded())]
    one, other = (fmean(q_learning(GAME, seed, few, h).returns) for h in hooks)
    return one, other


def preferring(accuracy: float, seed: int) -> Pair:
    """Learn from a reward of preferences between states, and from the world's own."""
    values = values_of(ROOM)
    said = preferred(ROOM, Scripted(accuracy, seed), ROOM.goal, pairs_of([*values], 180, seed), values, describe=False)
    rewards = learned_reward(ROOM, [*values], said, seed=seed)
    one, other = learned(ROOM, rewards, seed, SHORT), q_learning(ROOM, seed, SHORT)
    return fmean(one.returns), fmean(other.returns)


def tuned(accuracy: float, seed: int) -> Pair:
    """Propose four settings of Q-learning, and draw four."""
    world = KeyDoor(size=4)

    def score(settings: Any, at: int) -> float:
        return fmean(q_learning(world, at, Settings(episodes=150, **settings)).returns)

    search = SettingSearch(
        Space(SPACE), lambda s, _: score(s, 1000 + seed), Scripted(accuracy, seed), "Q-learning", seed, KNOWN
    )
    strategy = Strategy(beam, rounds=4, branching=1)
    found = [Evolution(write, search.evaluate).run(strategy) for write in (search.write, search.random)]
    one, other = (score(json.loads(best_of(archive)), seed) for archive in found)
    return one, other


class Mistaken(CaptionEncoder):
    """Sees the caption of a state with a stated probability, else that of another state."""

    def __init__(self, accuracy: float, seed: int) -> None:
        super().__init__()
        self.speaker = Scripted(accuracy, seed)

    def states(self, world: World, states: Sequence[State]) -> Floats:
        captions = tuple(world.describe(state) for state in states)
        said = self.speaker.answer([Question(caption, captions, caption) for caption in captions])
        return self.texts([caption or "" for caption in said])


def watched(accuracy: float, seed: int) -> Pair:
    """Learn from how well captions fit the goal, and from a reward that sees nothing: -1 a step."""
    rewards = seen(ROOM, Mistaken(accuracy, seed), DONE, BEGUN, 0.5)
    one, other = (fmean(learned(ROOM, r, seed, SHORT).returns) for r in (rewards, dict.fromkeys(rewards, 0.0)))
    return one, other


@cache
def trained(rate: float, prompts: int) -> float:
    """Minus the loss after a few steps of SFT of the bundled model; each pair of settings is run once."""
    with tempfile.TemporaryDirectory() as folder:
        run = posttrain.train(
            model="tiny",
            method="imitation/sft",
            data="arithmetic:chat=false,size=8",
            train={"steps": 6, "learning_rate": rate, "prompts_per_step": prompts},
            output=folder,
            display=None,
        )
    return -run.metrics["loss"]


def tuned_run(accuracy: float, seed: int) -> Pair:
    """Propose keys of a run twice, and draw them twice."""
    every = [(trained(rate, prompts), rate, prompts) for rate in KEYS[RATE] for prompts in KEYS[PROMPTS]]
    known = dict(zip(KEYS, max(every)[1:], strict=True))
    search = SettingSearch(
        Space(KEYS), lambda s, _: trained(s[RATE], s[PROMPTS]), Scripted(accuracy, seed), "a run", seed, known
    )
    strategy = Strategy(beam, rounds=2, branching=1)
    one, other = (Evolution(write, search.evaluate).run(strategy).best for write in (search.write, search.random))
    assert one is not None
    assert other is not None
    return one.value, other.value


METHODS: dict[str, Callable[[float, int], Pair]] = {
    "text2reward": written(Strategy(refine, rounds=1, repairs=1)),
    "eureka": written(Strategy(beam, rounds=2, branching=3)),
    "revolve": written(Strategy(islands, rounds=3, count=2, children=2, matches=4, migration=0.3), judged=True),
    "proxy_reward": labelled,
    "rl_vlm_f": preferring,
    "tune_learner": tuned,
    "tune_run": tuned_run,
    "vlm_rm": watched,
}


def compounding() -> None:
    """Print how errors grow with the horizon, of who imitates and of who learns from its own steps."""
    print("| steps | " + " | ".join(map(str, HORIZONS)) + " |")
    print("|---|" + "---|" * len(HORIZONS))
    for name, errors in (("cloned", cloned), ("online", online)):
        print(f"| {name} | " + " | ".join(f"{errors(horizon, MISTAKE):.3g}" for horizon in HORIZONS) + " |")


def draw(found: dict[str, list[dict[str, float]]]) -> None:
    """Draw docs/programs.png: the gain of each method against the accuracy of the speaker."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10.6, 4.6), dpi=130, layout="constrained")
    for axes, (name, points) in zip(figure.subplots(2, 4, sharex=True).flat, found.items(), strict=True):
        x, y, low, high = zip(*((p["accuracy"], p["gain"], p["low"], p["high"]) for p in points), strict=True)
        axes.axhline(0, color="black", linewidth=0.8)
        axes.fill_between(x, low, high, color="#0072B2", alpha=0.18, linewidth=0)
        axes.plot(x, y, color="#0072B2", marker="o", markersize=3.5, linewidth=1.6)
        axes.set_title(name, fontsize=9)
        axes.tick_params(labelsize=8)
        axes.spines[["top", "right"]].set_visible(False)
    figure.supxlabel("accuracy of the speaker", fontsize=9)
    figure.supylabel("gain over the learner alone", fontsize=9)
    figure.savefig(NUMBERS.parents[1] / "docs" / "programs.png")


def main() -> None:
    """Sweep the methods that are named, else all of them; print a row of a table for each, keep the numbers, draw."""
    if "compounding" in sys.argv:
        compounding()
        return
    found = json.loads(NUMBERS.read_text())
    if "draw" in sys.argv:
        draw(found)
        return
    print("| procedure | " + " | ".join(f"{a:g}" for a in ACCURACIES) + " |")
    print("|---|" + "---|" * len(ACCURACIES))
    for name in sys.argv[1:] or METHODS:
        cells, found[name] = [], []
        for accuracy in ACCURACIES:
            pairs = [METHODS[name](accuracy, seed) for seed in range(SPEAKERS)]
            g = gain([one for one, _ in pairs], [other for _, other in pairs])
            point = {"accuracy": accuracy, "gain": g["gain"], "low": g["gain/low"], "high": g["gain/high"]}
            found[name].append({key: round(value, 4) for key, value in point.items()})
            cells.append(f"{g['gain']:+.2f} [{g['gain/low']:+.2f}, {g['gain/high']:+.2f}]")
        print(f"| `{name}` | " + " | ".join(cells) + " |", flush=True)
    NUMBERS.write_text(json.dumps(found, indent=1) + "\n")
    draw(found)


if __name__ == "__main__":
    main()
