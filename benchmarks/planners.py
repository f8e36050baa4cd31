"""How far planners help as the speaker gets worse: the gain over the same planner without it, for accuracies 0.5 to 1.

    python benchmarks/planners.py                  # writes planners.json beside it and docs/planners.svg
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


def svg(found: dict[str, dict[str, dict[str, float]]]) -> str:
    """Small figures side by side: the gain with its interval against the accuracy, and a line at 0."""
    width, height, columns = 170, 120, 4
    rows = -(-len(found) // columns)
    size = f"width='{columns * width}' height='{rows * (height + 30)}'"
    parts = [f"<svg xmlns='http://www.w3.org/2000/svg' {size} font-family='sans-serif' font-size='11'>"]
    parts.append("<rect width='100%' height='100%' fill='white'/>")
    for i, (name, points) in enumerate(found.items()):
        left, top = (i % columns) * width + 34, (i // columns) * (height + 30) + 20
        low = min(0.0, *(p["gain/low"] for p in points.values()))
        high = max(0.0, *(p["gain/high"] for p in points.values()))
        x = [left + (width - 50) * n / (len(points) - 1) for n in range(len(points))]

        def y(value: float, top: int = top, low: float = low, high: float = high) -> float:
            return top + height - 20 - (height - 20) * (value - low) / (high - low)

        band = [*zip(x, (y(p["gain/high"]) for p in points.values()), strict=True)]
        band += [*zip(x, (y(p["gain/low"]) for p in points.values()), strict=True)][::-1]
        line = zip(x, (y(p["gain"]) for p in points.values()), strict=True)
        parts += [
            f"<text x='{left}' y='{top - 6}'>{name}</text>",
            f"<polygon points='{pairs(band)}' fill='#9ecae1'/>",
            f"<polyline points='{pairs(line)}' fill='none' stroke='#08519c' stroke-width='2'/>",
            f"<line x1='{left}' x2='{x[-1]}' y1='{y(0)}' y2='{y(0)}' stroke='black' stroke-dasharray='3'/>",
            f"<text x='{left - 4}' y='{y(high) + 8}' text-anchor='end'>{high:.2g}</text>",
            f"<text x='{left - 4}' y='{y(low)}' text-anchor='end'>{low:.2g}</text>",
            f"<text x='{left}' y='{top + height - 6}'>{next(iter(points))}</text>",
            f"<text x='{x[-1]}' y='{top + height - 6}' text-anchor='end'>{[*points][-1]}</text>",
        ]
    return "\n".join([*parts, "</svg>", ""])


def pairs(points: object) -> str:
    """Points as SVG wants them."""
    return " ".join(f"{a:.1f},{b:.1f}" for a, b in points)  # type: ignore[attr-defined]


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
        (HERE.parent / "docs" / "planners.svg").write_text(svg(found), encoding="utf-8")


if __name__ == "__main__":
    main()
