"""What a run left behind."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from posttrain.training.evaluation import Evaluation

SHOWN = ("reward", "loss", "kl", "rewards/accuracies", "accuracy", "completions/mean_length")


@dataclass(repr=False)
class Result:
    """What a run left behind.

    `model`: the folder of the model that it is about; None if it trained none. `models`: every trained model by role.
    `metrics`: the last ones. `evaluations` by name (before, "step 10", after). `artefacts`: files by name.
    """

    directory: Path
    model: Path | None
    metrics: dict[str, float]
    evaluations: dict[str, Evaluation] = field(default_factory=dict)
    models: dict[str, Path] = field(default_factory=dict)
    artefacts: dict[str, Path] = field(default_factory=dict)

    def __repr__(self) -> str:
        lines = [f"Result of {self.directory}"]
        lines += [f"  {name:8} {evaluation}" for name, evaluation in self.evaluations.items()]
        shown = [f"{name} {self.metrics[name]:.4g}" for name in SHOWN if name in self.metrics]
        if shown:
            lines.append(f"  at last  {', '.join(shown)}")
        lines += [f"  model    {self.model}"] if self.model is not None else []
        others = {**{n: m for n, m in self.models.items() if m != self.model}, **self.artefacts}
        lines += [f"  {name:8} {file}" for name, file in others.items()]
        return "\n".join(lines)
