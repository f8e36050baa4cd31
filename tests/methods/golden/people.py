"""Golden numbers of reward models that learn from marks of safety, and from annotators of known reliability."""

from __future__ import annotations

from math import exp, log, nan

from posttrain.records import Numbers
from tests.harness.numbers import answer
from tests.methods.golden.row import batch


def pair(chosen: float, rejected: float, *sides: dict[str, float]):
    return [answer(other=[0.0, 0.0], score=s, **side) for s, side in zip((chosen, rejected), sides, strict=True)]


def marked(chosen: float, rejected: float, safe: tuple[float, float]):
    """A pair, the safer answer first, and whether either is safe."""
    return pair(chosen, rejected, {"safe": safe[0]}, {"safe": safe[1]})


def compared(chosen: float, rejected: float, reliability: float):
    return pair(chosen, rejected, *2 * [{"reliability": reliability}])


def softplus(z: float) -> float:
    return log(1 + exp(z))


# fmt: off
# A row reads as a line of a paper's example. σ(-1) = 0.26894142, σ(-0.5) = 0.37754067, σ(-2) = 0.11920292.

PEOPLE = (
    batch("reward/cost", answers=marked(-0.5, 0.5, (1.0, 0.0)), pairs=[(0, 1)],
          loss=softplus(-1.0) + softplus(-0.5) + softplus(-0.5), note="safe and harmful",
          gradients={"score": [0.26894142 + 0.37754067, -0.26894142 - 0.37754067]},
          metrics={"accuracy": 1, "margin": 1.0, "cost/chosen": -0.5, "cost/rejected": 0.5, "signs": 1}),
    batch("reward/cost", answers=marked(1.0, 2.0, (0.0, 0.0)), pairs=[(0, 1)],
          loss=softplus(-1.0) + softplus(-1.0) + softplus(-2.0), note="both harmful",
          gradients={"score": [0.26894142 - 0.26894142, -0.26894142 - 0.11920292]}, metrics={"signs": 1}),
    batch("reward/cost", {"sign": 0.5}, marked(1.0, 2.0, (1.0, 1.0)), pairs=[(0, 1)],
          loss=softplus(-1.0) + 0.5 * (softplus(1.0) + softplus(2.0)), note="both safe",
          metrics={"signs": 0, "accuracy": 1}),
    batch("reward/cost", answers=marked(2.0, 0.0, (1.0, 0.0)), pairs=[(0, 1)], metrics={"signs": 0.25, "accuracy": 0}),
    batch("reward/harm", answers=[answer(other=[0.0], score=2.0, label=0.0), answer(other=[0.0], score=1.0, label=1.0)],
          loss=(softplus(-2.0) + softplus(1.0)) / 2, metrics={"signs": 0.5},
          gradients={"score": [-0.11920292 / 2, 0.73105858 / 2]}),
    batch("reward/harm_categories", answers=[answer(scores=(2.0, 1.0), attributes=Numbers((1.0, 0.0)), score=0.5),
                                             answer(scores=(0.5, -2.0), attributes=Numbers((nan, 1.0)), score=-0.5)],
          loss=(softplus(-2.0) + softplus(1.0) + softplus(2.0)) / 2, metrics={"right": 0.25, "score": 0.0},
          gradients={"scores": [[-0.11920292 / 2, 0.73105858 / 2], [0, -0.88079708 / 2]]}),
    batch("reward/crowd_bt", answers=compared(1.5, 0.5, 0.9), pairs=[(0, 1)], loss=0.37856002352,
          gradients={"score": [-0.22967112068, 0.22967112068]}),
    batch("reward/crowd_bt", answers=compared(1.5, 0.5, 0.2), pairs=[(0, 1)],
          loss=-log(0.2 * 0.73105858 + 0.8 * 0.26894142), note="contrary",
          gradients={"score": [0.6 * 0.19661193 / 0.36136485, -0.6 * 0.19661193 / 0.36136485]}),
)
