"""On Calibration of Modern Neural Networks (Guo et al., 2017): what a model takes of several options, and how surely.

Nothing is written: the probabilities of the options as replies are compared, and that of the best is the confidence.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from posttrain.data.dataset import load
from posttrain.evaluation.metrics import calibration
from posttrain.evaluation.suite import Item, Suite, Whole
from posttrain.records import Pair, Prompt
from posttrain.seeds import seed_for
from posttrain.turns import answer_text

Numbers = Sequence[float]


def multiple_choice(
    *, data: str = "arithmetic:split=test", size: int = 100, coverage: float = 0.5, group: str | None = None
) -> Suite:
    """Build the suite.

    Settings:
        data: pairs of a right and a wrong answer; a file, hub id or generator.
        size: number of questions; at least 1.
        coverage: share of the answers that selective accuracy keeps, the most confident; above 0, to 1.
        group: column whose values are reported apart, such as behaviour; null reports all together.
    """
    prompts = [question(p) for p in load(data, "pairs", size=size) if isinstance(p, Pair)]
    return Suite(
        prompts,
        {"accuracy": right, "confidence": confidence},
        wholes={
            "ece": both(calibration.expected_calibration_error),
            "brier": both(calibration.brier),
            "selective_accuracy": both(lambda c, r: calibration.selective_accuracy(c, r, coverage)),
            "risk_coverage_area": both(calibration.risk_coverage_area),
        },
        options="options",
        groups=() if group is None else (group,),
    )


def question(pair: Pair) -> Prompt:
    """Make the question of a pair, its options in an order that the seed draws."""
    options = [answer_text(pair.chosen), answer_text(pair.rejected)]
    if seed_for("options", pair.id) % 2:
        options.reverse()
    columns = {**pair.columns, "options": tuple(options), "answer": answer_text(pair.chosen)}
    return Prompt(pair.id, pair.prompt, columns, pair.where, pair.arguments)


def right(item: Item) -> float:
    """Give 1 where the likeliest option is the right one."""
    return float(item.answer == item["answer"])


def confidence(item: Item) -> float:
    """Return the probability of the likeliest option."""
    return max(item.replies[-1].probabilities)


def both(measure: Callable[[Numbers, Numbers], float | None]) -> Whole:
    """Read confidence and truth of all items."""
    return lambda items: measure([confidence(i) for i in items], [right(i) for i in items])
