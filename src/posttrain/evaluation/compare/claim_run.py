"""Run the experiment of a claim, and keep its outcome: the verdict, the numbers behind it, and the figure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from posttrain.errors import ConfigError, MissingExtraError, suggestion
from posttrain.evaluation.compare import figure
from posttrain.evaluation.compare.claim import Claim, Finding, findings, verdict
from posttrain.evaluation.compare.grid import Comparison, compare
from posttrain.evaluation.compare.report import write as write_report
from posttrain.runs import durable
from posttrain.viewer.live import open_display


@dataclass(frozen=True)
class Outcome:
    """A claim, the comparison, and what was found."""

    name: str
    claim: Claim
    comparison: Comparison
    found: Sequence[Finding]

    @property
    def verdict(self) -> str:
        """Whether the claim is shown."""
        return verdict(self.found)

    def text(self) -> str:
        """The verdict and its numbers, for a terminal."""
        lines = [f"{self.name}: {self.verdict}", f"  {self.claim.says}"]
        lines += [f"  {f.expectation}: by {f.by:.3g} [{f.low:.3g}, {f.high:.3g}], {f.holds}" for f in self.found]
        return "\n".join(lines)

    def data(self) -> dict[str, Any]:
        """Everything that the page of claims shows, as plain data."""
        claim = self.claim.model_dump(exclude_defaults=True)
        claim["task"]["path"] = Path(self.claim.task.path).name
        found = [{**asdict(f), "holds": f.holds} for f in self.found]
        return {"name": self.name, "verdict": self.verdict, **claim, "seeds": self.claim.seeds, "found": found}


def run(file: Path, claim: Claim, *, output: Path, resume: bool = False) -> Outcome:
    """Compare the methods on the task, and hold the result against what is expected."""
    from posttrain.catalogue.papers import papers

    if claim.key is not None and claim.key not in papers():
        raise ConfigError(f"{file}: key: there is no paper {claim.key!r}{suggestion(claim.key, papers())}")
    if not figure.available():
        raise MissingExtraError("the figure of a claim", "plot")
    with open_display() as display:
        comparison = compare(
            claim.compare,
            claim.task.path,
            seeds=claim.seeds,
            settings=claim.task.settings,
            output=output,
            name=f"claim-{file.stem}",
            resume=resume,
            display=display,
        )
    write_report(comparison)
    figure.draw(comparison)
    return Outcome(file.stem, claim, comparison, findings(claim, comparison))


def write(outcome: Outcome, folder: Path) -> list[Path]:
    """Write NAME.json and NAME.png, and return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    data, picture = folder / f"{outcome.name}.json", folder / f"{outcome.name}.png"
    durable.write_text(data, json.dumps(outcome.data(), indent=1, ensure_ascii=False) + "\n")
    picture.write_bytes((outcome.comparison.directory / "figure.png").read_bytes())
    return [data, picture]
