"""How far planners help as the speaker gets worse: the gain over the same planner without it, for accuracies 0.5 to 1.

    python benchmarks/planners.py                  # writes planners.json beside it and docs/planners.png
    python benchmarks/planners.py say_can kalm     # prints some of them

Every point is the mean over scripted speakers with mistakes of their own, with Student's 95% interval.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import fmean
from time import process_time

from posttrain.learners.gain import gain
from posttrain.learners.planning import (
    comfort,
    fishbowl,
    graph_planner,
    guarded_mpc,
    imagined,
    item_wise,
    model_selection,
    oversight,
    policy_library,
    say_can,
    say_can_pay,
)
from posttrain.learners.planning.comparison import Comparison
from posttrain.learners.q_learning import Settings
from posttrain.learners.speaker import Scripted, Speaker
from posttrain.learners.worlds.crafting import Crafting
from posttrain.learners.worlds.crossing import Crossing
from posttrain.learners.worlds.goal_grid import GoalGrid
from posttrain.learners.worlds.lane import Lane
from posttrain.learners.worlds.recommendation import Recommendation

HERE = Path(__file__).parent
ACCURACIES = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
SPEAKERS = 8
CRAFTING = Crafting()  # one, whose skills are practised once for each seed
Seeds = list[int]
Compare = Callable[[Speaker, Seeds], Comparison]

METHODS: dict[str, tuple[int, Compare]] = {  # how many trials with each speaker, and what is compared
    "say_can": (5, lambda s, n: say_can.compared(CRAFTING, s, n, most=12, stops=False, practice=400)),
    "say_can (may stop)": (5, lambda s, n: say_can.compared(CRAFTING, s, n, most=12, stops=True, practice=400)),
    "say_can_pay": (
        2,
        lambda s, n: say_can_pay.compared(CRAFTING, s, n, experts=4, width=2, most=10, practice=400),
    ),
    "plan4mc": (5, lambda s, n: graph_planner.compared(CRAFTING, s, n, most=12, practice=400)),
    "la_light": (2, lambda s, n: oversight.compared(Crossing(unusual=0.1), s, n, steps=80, calls=4, practice=80)),
    "guarded_mpc": (2, lambda s, n: guarded_mpc.compared({"view": 4}, s, n, steps=60, rounds=2, horizon=3)),
    "participatory_planning": (3, lambda s, n: fishbowl.compared(s, n, residents=12, plots=5, size=4, rounds=6)),
    "model_selection": (
        1,
        lambda s, n: model_selection.compared(
            Recommendation(readers=4, items=20, seed=n[0]), s, n, rounds=600, rate=0.5, least=0.05, share=True
        ),
    ),
    "novel_top_k": (1, lambda s, n: item_wise.compared(Recommendation(items=20, seed=n[0]), s, n, k=3, steps=300)),
    "kalm": (1, lambda s, n: imagined.compared(GoalGrid(), s, n, tried=6, rollouts=6, imagined=6)),
    "hi_core": (
        1,
        lambda s, n: policy_library.compared(
            policy_library.Learner(CRAFTING, Settings(episodes=60, horizon=40, explore=0.2)), s, n
        ),
    ),
    "driver_feedback": (
        1,
        lambda s, n: comfort.compared(Lane(wish="sick", view=4), s, n, pairs=40, steps=8, failing=0.1),
    ),
}


def sweep(name: str) -> dict[str, dict[str, float]]:
    """Compare one method at every accuracy."""
    trials, compare = METHODS[name]
    found = {}
    for accuracy in ACCURACIES:
        made = [
            compare(Scripted(accuracy, speaker), [speaker * trials + n for n in range(trials)])
            for speaker in range(SPEAKERS)
        ]
        found[f"{accuracy:g}"] = gain([fmean(m.helped) for m in made], [fmean(m.alone) for m in made])
    return found


def draw(found: dict[str, dict[str, dict[str, float]]]) -> None:
    """Draw a panel for each method: the gain with its interval against the accuracy, and a line at 0."""
    from matplotlib.figure import Figure

    columns = 4
    figure = Figure(figsize=(12, 7.5), layout="constrained")
    panels = figure.subplots(-(-len(found) // columns), columns, squeeze=False).flat
    for panel, (name, points) in zip(panels, found.items(), strict=False):
        x = [float(accuracy) for accuracy in points]
        low, high = ([p[f"gain/{end}"] for p in points.values()] for end in ("low", "high"))
        panel.fill_between(x, low, high, alpha=0.25)
        panel.plot(x, [p["gain"] for p in points.values()])
        panel.axhline(0, color="black", linewidth=0.8, linestyle=":")
        panel.set_title(name, fontsize=10)
    figure.supxlabel("accuracy of the speaker")
    figure.supylabel("gain over the planner without it")
    figure.savefig(HERE.parent / "docs" / "planners.png")


def main() -> None:
    """Sweep the methods that are named, else all of them, and keep the numbers of all."""
    found = {}
    for name in sys.argv[1:] or METHODS:
        begun = process_time()
        found[name] = sweep(name)
        print(f"{name} ({process_time() - begun:.1f} s)")
        for accuracy, p in found[name].items():
            interval = f"[{p['gain/low']:+.3f}, {p['gain/high']:+.3f}]"
            print(
                f"  {accuracy}: {p['helped']:.3f} and {p['alone']:.3f} alone, {p['gain']:+.3f} {interval}", flush=True
            )
    if len(found) == len(METHODS):
        (HERE / "planners.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        draw(found)


if __name__ == "__main__":
    main()
