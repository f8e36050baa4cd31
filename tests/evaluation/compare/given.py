"""A task that takes a second, and measurements that need no training."""

from __future__ import annotations

from pathlib import Path

from posttrain.evaluation.compare.grid import Comparison
from posttrain.evaluation.compare.task import Task
from posttrain.evaluation.overoptimisation import Kind

QUICK = '''
"""A quick task: the tiny model prefers digits to letters."""
from functools import partial
from posttrain.evaluation.compare.task import Task
from posttrain.evaluation.overoptimisation import Kind
from posttrain.selection.conversions import of_pairs
from posttrain.formulas.losses.scores import log_ratio
from posttrain.records import Pair


def quick(folder, seed, *, steps: int = 2, rate: float = 1e-3):
    (folder / f"made-{seed}").touch()
    pairs = [Pair(i, f"{i}=", str(10 + i + seed), "ab"[i % 2] * 2) for i in range(12)]
    train = {"steps": steps, "prompts_per_step": 4, "learning_rate": rate}
    return Task(
        run={"model": "tiny", "train": train, "sampling": {"max_tokens": 2}},
        records={k: d for k, d in of_pairs(pairs, "quick").items() if k != "prompts"},
        measure=partial(measure, pairs=pairs),
        x=("distance", "how far"),
        y=("margin", "how much is preferred"),
        points=2,
    )


def measure(session, name, *, pairs):
    s = session.measure(name, pairs, log_ratio)
    gaps = [a - b for a, b in zip(s[::2], s[1::2])]
    return {"distance": max(map(abs, s)), "margin": sum(gaps) / len(gaps)}
'''


def quick(folder: Path) -> str:
    """The path of the task's file."""
    file = folder / "quick.py"
    file.write_text(QUICK)
    return str(file)


def found(folder: Path, law: Kind | None = "training") -> Comparison:
    """Two methods, three seeds, three points; y of the second is y of the first plus 1, 2, 3 at the end."""

    def curve(seed: int, more: float) -> list[dict[str, float]]:
        ys = [0.0, 2.0 + seed, 1.0 + seed + more]
        return [
            {"step": 4.0 * i, "kl": kl, "gold": y, "length": 10.0 + i}
            for i, (kl, y) in enumerate(zip((0.0, 1.0, 4.0), ys, strict=True))
        ]

    task = Task({}, {}, lambda _session, _name: {}, ("kl", "KL"), ("gold", "gold reward"), law=law, facts={"n": 3})
    curves = {"dpo": {s: curve(s, 0) for s in range(3)}, "ipo": {s: curve(s, 1.0 + s) for s in range(3)}}
    return Comparison(folder, "made_up", task, curves)
