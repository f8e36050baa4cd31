"""The report on a reward model: tables with intervals, as plain data for JSON and as Markdown."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, is_dataclass
from statistics import fmean
from typing import Any

from posttrain.evaluation.reward_models import reward_bench
from posttrain.evaluation.reward_models.best_of_n import credit, mean_curves, mean_roc_area
from posttrain.evaluation.reward_models.calibration import calibration
from posttrain.evaluation.reward_models.judged import JudgedCandidates, JudgedPair, by_column
from posttrain.evaluation.reward_models.length_bias import by_difference, length_bias
from posttrain.evaluation.reward_models.model_ranking import model_ranking
from posttrain.evaluation.statistics import interval, wilson


@dataclass(frozen=True)
class Share:
    """A share of items with its 95% interval."""

    mean: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return f"{self.mean:.4f} [{self.low:.4f}, {self.high:.4f}]"


def of_pairs(pairs: Sequence[JudgedPair], by: Sequence[str] = ("subset",)) -> dict[str, Any]:
    """Report on pairs: accuracy, by groups of each column in `by`, calibration, length and the models that wrote them.

    What the data do not tell is absent. `worst`: the group with the lowest accuracy.
    """
    found: dict[str, Any] = {"accuracy": accuracy(pairs), "ties": sum(p.margin == 0 for p in pairs)}
    groups = {column: {g: accuracy(own) for g, own in by_column(pairs, column).items()} for column in by}
    found["groups"] = {column: own for column, own in groups.items() if own}
    found["worst"] = {c: min(own, key=lambda g: own[g].mean) for c, own in found["groups"].items()}
    if scores := reward_bench.sections(pairs):
        found["reward_bench"] = {**scores, "score": fmean(scores.values())}
    found["calibration"] = calibration([p.margin for p in pairs])
    if (bias := length_bias(pairs)) is not None:
        found["length"] = bias
        found["length_bands"] = by_difference(pairs)
    if (ranking := model_ranking(pairs)) is not None:
        found["models"] = ranking
    return found


def of_candidates(items: Sequence[JudgedCandidates], by: Sequence[str] = ("subset",)) -> dict[str, Any]:
    """Report on candidates: how often the best is right, best-of-n curves beside the perfect judge's, and the ROC."""
    found: dict[str, Any] = {"accuracy": _best(items)}
    groups = {column: {g: _best(own) for g, own in by_column(items, column).items()} for column in by}
    found["groups"] = {column: own for column, own in groups.items() if own}
    found["worst"] = {c: min(own, key=lambda g: own[g].mean) for c, own in found["groups"].items()}
    if any("num_correct" in c.columns for c in items) and (scores := reward_bench.best_of_four(items)):
        found["reward_bench_2"] = {**scores, "score": fmean(scores.values())}
    found["best_of_n"] = {n: {"own": own, "perfect": best} for n, (own, best) in mean_curves(items).items()}
    found["roc_area"] = mean_roc_area(items)
    return found


def accuracy(pairs: Sequence[JudgedPair]) -> Share:
    """Return the share of pairs that are judged as people judge them, ties one half, with Wilson's interval."""
    right = sum(p.right for p in pairs)
    return Share(right / len(pairs), *wilson(right, len(pairs)), len(pairs))


def _best(items: Sequence[JudgedCandidates]) -> Share:
    right = [credit(c) for c in items]
    return Share(fmean(right), *interval(right), len(right))


# ---- as data, as text


def as_data(value: Any) -> Any:
    """Return a report as plain data for JSON; null for what is not finite."""
    if is_dataclass(value) and not isinstance(value, type):
        return as_data(asdict(value))
    if isinstance(value, Mapping):
        return {str(k): as_data(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [as_data(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def markdown(found: Mapping[str, Any], title: str) -> str:
    """Render a report as Markdown."""
    parts = [f"# {title}", "\n".join(f"- {line}" for line in lines(found))]
    for column, groups in found["groups"].items():
        parts.append(table(f"By {column}", (column, "accuracy", "items"), ((g, s, s.n) for g, s in groups.items())))
    for name, heading in (("reward_bench", "RewardBench"), ("reward_bench_2", "RewardBench 2")):
        if name in found:
            parts.append(table(heading, ("section", "score"), ((s, f"{x:.4f}") for s, x in found[name].items())))
    parts += [render(found[name]) for name, render in TABLES.items() if name in found]
    return "\n\n".join(parts) + "\n"


def lines(found: Mapping[str, Any]) -> list[str]:
    """Return the principal numbers as lines of text."""
    said = [f"accuracy {found['accuracy']} on {found['accuracy'].n} items"]
    said += [f"lowest {c}: {g} {found['groups'][c][g]}" for c, g in found["worst"].items()]
    if found.get("ties"):
        said.append(f"{found['ties']} pairs have two equal scores, which count one half")
    if (c := found.get("calibration")) is not None:
        said.append(
            f"calibration: ECE {c.ece:.4f}, Brier {c.brier:.4f}, log loss {c.log_loss:.4f}, best temperature "
            f"{c.temperature:.3g}"
        )
    if (b := found.get("length")) is not None:
        said.append(
            f"verbosity bias {_signed(b.bias)}: accuracy {b.longer[0]:.3f} where people prefer the longer answer, "
            f"{b.shorter[0]:.3f} where the shorter; {b.people[0]:.3f} by length alone; correlation {b.correlation:+.3f}"
        )
    if (m := found.get("models")) is not None:
        said.append(f"ranking of {len(m.people)} models: Spearman {m.spearman:.3f}, Kendall {m.kendall:.3f}")
    return said


def table(heading: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Render a table of Markdown under its heading."""
    every = [columns, ["---"] * len(columns), *rows]
    return f"## {heading}\n\n" + "\n".join(f"| {' | '.join(map(str, row))} |" for row in every)


def _signed(x: tuple[float, float, float]) -> str:
    return f"{x[0]:+.3f} [{x[1]:+.3f}, {x[2]:+.3f}]"


def _reliability(c: Any) -> str:
    rows = ((f"{b.confidence:.3f}", f"{b.right:.3f} [{b.low:.3f}, {b.high:.3f}]", b.n) for b in c.bins)
    return table("Reliability", ("confidence", "judged rightly", "pairs"), rows)


def _bands(bands: Any) -> str:
    rows = ((f"{b.least} to {b.most}", f"{b.people:.3f}", f"{b.model:.3f}", b.n) for b in bands)
    columns = ("lengths differ by, words", "people prefer the longer", "the model does", "pairs")
    return table("Length", columns, rows)


def _models(m: Any) -> str:
    rows = ((name, f"{rate[0]:.3f}", f"{m.scores[name][0]:.3f}") for name, rate in m.people.items())
    return table("Models that wrote the answers", ("model", "win rate by people", "by the scores"), rows)


def _curve(curve: Any) -> str:
    rows = ((n, f"{x['own']:.4f}", f"{x['perfect']:.4f}") for n, x in curve.items())
    return table("Best of n", ("n", "right", "of a perfect judge"), rows)


TABLES = {"calibration": _reliability, "length_bands": _bands, "models": _models, "best_of_n": _curve}
