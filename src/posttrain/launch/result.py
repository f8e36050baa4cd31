"""What a run left behind."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from posttrain.errors import GateError
from posttrain.evaluation.gates import Gate
from posttrain.training.evaluation import Evaluation

SHOWN = ("reward", "loss", "kl", "rewards/accuracies", "accuracy", "completions/mean_length")


@dataclass(repr=False)
class Result:
    """What a run left behind.

    `model`: the folder of the model that it is about; None if it trained none. `models`: every trained model by role.
    `metrics`: the last ones. `evaluations` by name (before, "step 10", after). `artefacts`: files by name.
    `gates`: what the run file demands of the model, and whether it passed.
    """

    directory: Path
    model: Path | None
    metrics: dict[str, float]
    evaluations: dict[str, Evaluation] = field(default_factory=dict)
    models: dict[str, Path] = field(default_factory=dict)
    artefacts: dict[str, Path] = field(default_factory=dict)
    gates: list[Gate] = field(default_factory=list)

    def refuse_unless_passed(self) -> None:
        """Raise GateError, with this result as its `result`, where the model fails a gate of its run file."""
        if failed := [str(gate) for gate in self.gates if not gate.passed]:
            raise GateError(
                f"{self.directory}: the model is saved, but must not be released: {'; '.join(failed)}", self
            )

    def __repr__(self) -> str:
        lines = [f"Result of {self.directory}"]
        lines += [f"  {name:8} {evaluation}" for name, evaluation in self.evaluations.items()]
        lines += [f"  gate     {gate}" for gate in self.gates]
        shown = [f"{name} {self.metrics[name]:.4g}" for name in SHOWN if name in self.metrics]
        if shown:
            lines.append(f"  at last  {', '.join(shown)}")
        lines += [f"  model    {self.model}"] if self.model is not None else []
        others = {**{n: m for n, m in self.models.items() if m != self.model}, **self.artefacts}
        lines += [f"  {name:8} {file}" for name, file in others.items()]
        return "\n".join(lines)
