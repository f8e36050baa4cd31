"""Claims of papers as small experiments: a file says what is compared, on which task, and what is then expected.

    paper: Fine-Tuning Language Models with Advantage-Induced Policy Alignment (Zhu et al., 2023)
    says: APA stays closer to where it started than PPO at the same reward.
    compare: [online/apa, online/ppo]
    task: {path: gold_reward, steps: 40}
    seeds: 4
    expect:
      - {measure: kl, of: online/apa, below: online/ppo}

The comparison alone decides whether the claim is shown: each expectation is a mean over seeds with its 95% interval,
paired by seed where two methods are compared.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, model_validator

from posttrain.config.code import Code
from posttrain.config.load import read
from posttrain.config.problems import report
from posttrain.config.section import Section
from posttrain.errors import ConfigError, suggestion
from posttrain.evaluation.compare.cell import Point
from posttrain.evaluation.compare.contender import contenders
from posttrain.evaluation.compare.grid import Comparison
from posttrain.evaluation.statistics import mean_interval

SHOWN, NOT_SHOWN, CONTRADICTED = "shown", "not shown here", "contradicted here"


class Expectation(Section):
    """One of the two sides is larger."""

    measure: str
    """Name of the measurement of the task."""
    of: str
    """The method, as under `compare`."""
    at: Literal["end", "best", "start"] = "end"
    """Point of the training: the last one, the best one by the task's y, or the one before the first step."""
    above: str | float | None = None
    """The method or the number that it exceeds."""
    below: str | float | None = None
    """The method or the number that it stays under."""
    than_at: Literal["end", "best", "start"] | None = None
    """Point of the other side's training; by default the same."""

    @model_validator(mode="after")
    def _one_side(self) -> Expectation:
        if (self.above is None) == (self.below is None):
            raise ValueError("write either above or below: the method or the number that it is compared with")
        return self

    @property
    def other(self) -> str | float:
        """What it is compared with."""
        other = self.below if self.above is None else self.above
        assert other is not None
        return other

    def __str__(self) -> str:
        than = f" at the {self.than_at}" if self.than_at else ""
        relation = "<" if self.above is None else ">"
        return f"{self.measure} of {self.of} at the {self.at} {relation} {self.other}{than}"


class Claim(Section):
    """What a paper says, and the comparison that would show it."""

    paper: str = Field(min_length=1)
    """Title of the paper, with authors and year."""
    key: str | None = None
    """Its key in papers.toml, where it has one."""
    says: str = Field(min_length=1)
    """The claim, in one or two sentences."""
    compare: tuple[str, ...] = Field(min_length=1)
    """The methods, as for `posttrain compare`."""
    task: Code
    """Path and settings of the task."""
    seeds: int = Field(4, ge=2)
    """Number of seeds; at least 2, or there is no interval."""
    expect: tuple[Expectation, ...] = Field(min_length=1)
    """What has to hold, all of it."""
    remark: str = ""
    """What the experiment leaves out, or why it comes out as it does."""


@dataclass(frozen=True)
class Finding:
    """An expectation, and by how much it holds: mean and 95% interval of the difference in the expected direction."""

    expectation: str
    by: float
    low: float
    high: float

    @property
    def holds(self) -> str:
        """Whether the whole interval lies on the expected side, on the other, or on both."""
        return SHOWN if self.low > 0 else CONTRADICTED if self.high < 0 else NOT_SHOWN


def load_claim(path: Path) -> Claim:
    """Read a claim. Raises ConfigError for a broken file and an expectation of a method that is not compared."""
    document = read(path)
    try:
        claim = Claim.model_validate(document.value, context={"base": path.parent})
    except ValidationError as error:
        raise ConfigError(report(error, document)) from None
    for expectation in claim.expect:
        for side in (expectation.of, expectation.other):
            if isinstance(side, str) and side not in claim.compare:
                raise ConfigError(f"{path}: expect names {side!r}{suggestion(side, claim.compare)}, not under compare")
    return claim


def findings(claim: Claim, comparison: Comparison) -> list[Finding]:
    """Measure every expectation. Raises ConfigError for a measurement that the task does not make."""
    labels = {spec: entry.label for spec, entry in zip(claim.compare, contenders(claim.compare), strict=True)}
    return [_finding(expectation, comparison, labels) for expectation in claim.expect]


def verdict(found: Sequence[Finding]) -> str:
    """Say whether the claim is shown: by all expectations, contradicted by one, or neither."""
    held = {finding.holds for finding in found}
    return SHOWN if held == {SHOWN} else CONTRADICTED if CONTRADICTED in held else NOT_SHOWN


def _finding(expectation: Expectation, comparison: Comparison, labels: Mapping[str, str]) -> Finding:
    sign = 1 if expectation.below is None else -1
    ours = _values(comparison, labels[expectation.of], expectation.measure, expectation.at)
    other, at = expectation.other, expectation.than_at or expectation.at
    theirs = (
        _values(comparison, labels[other], expectation.measure, at)
        if isinstance(other, str)
        else dict.fromkeys(ours, other)
    )
    gaps = [sign * (ours[seed] - theirs[seed]) for seed in sorted(ours.keys() & theirs.keys())]
    return Finding(str(expectation), *mean_interval(gaps))


def _values(comparison: Comparison, label: str, measure: str, at: str) -> dict[int, float]:
    """The measurement at one point of each seed's training."""
    y = comparison.task.y[0]
    choose: dict[str, Callable[[Sequence[Point]], Point]] = {
        "end": lambda curve: curve[-1],
        "start": lambda curve: curve[0],
        "best": lambda curve: max(curve, key=lambda point: point[y]),
    }
    chosen = {seed: choose[at](curve) for seed, curve in comparison.curves[label].items()}
    for point in chosen.values():
        if measure not in point:
            known: list[Any] = [name for name in point if name != "step"]
            raise ConfigError(
                f"expect: the task measures no {measure!r}{suggestion(measure, known)}; it measures {', '.join(known)}"
            )
    return {seed: point[measure] for seed, point in chosen.items()}
