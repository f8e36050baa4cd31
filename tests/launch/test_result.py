"""What a person reads of a result."""

from __future__ import annotations

from pathlib import Path

from posttrain.launch.result import Result
from posttrain.training.evaluation import Evaluation


def test_a_result_reads_as_a_summary():
    final = Path("runs/a/final")
    evaluations = {"before": Evaluation([], {1: 0.5, 2: 1.0})}
    models = {"policy": final, "reward": Path("runs/a/models/reward")}
    made = Result(Path("runs/a"), final, {"reward": 0.25, "loss": 1.0, "x": 3.0}, evaluations, models)
    assert repr(made).splitlines() == [
        "Result of runs/a",
        f"  before   {evaluations['before']}",
        "  at last  reward 0.25, loss 1",
        "  model    runs/a/final",
        "  reward   runs/a/models/reward",
    ]
    assert str(Result(Path("runs/a"), None, {})) == "Result of runs/a"
