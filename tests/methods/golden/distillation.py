"""Golden numbers of the methods that learn from a teacher."""

from __future__ import annotations

from math import log

from tests.harness.numbers import answer
from tests.methods.golden.row import batch


def spoken(student, teacher):
    """An answer with these probabilities of the first of two tokens, of the student and of the teacher."""
    pairs = {"logits": student, "teacher_logits": teacher}
    return answer(entropy=[0.0] * len(student), **{n: [(log(p), log(1 - p)) for p in ps] for n, ps in pairs.items()})


FORWARD = (0.5 * log(0.5 / 0.25) + 0.5 * log(0.5 / 0.75), 0.8 * log(0.8 / 0.5) + 0.2 * log(0.2 / 0.5))
REVERSE = (0.25 * log(0.25 / 0.5) + 0.75 * log(0.75 / 0.5), 0.5 * log(0.5 / 0.8) + 0.5 * log(0.5 / 0.2))
# β = 0.25: m = 0.25 q + 0.75 π = (0.3125, 0.6875) and (0.575, 0.425)
MIXED = (
    0.25 * (0.5 * log(0.5 / 0.3125) + 0.5 * log(0.5 / 0.6875))
    + 0.75 * (0.25 * log(0.25 / 0.3125) + 0.75 * log(0.75 / 0.6875)),
    0.25 * (0.8 * log(0.8 / 0.575) + 0.2 * log(0.2 / 0.425)) + 0.75 * (0.5 * log(0.5 / 0.575) + 0.5 * log(0.5 / 0.425)),
)
TWO = [spoken([0.25, 0.5], [0.5, 0.8])]
WRITTEN = [
    answer(logp=[-1.0, -2.0, -0.5], teacher_logp=[-0.5, -2.5, -0.5], rollout_logp=[0.0] * 3),
    answer(logp=[-1.0], teacher_logp=[-3.0], rollout_logp=[0.0]),
]

DISTILLATION = (
    batch("distillation/soft_targets", answers=TWO, loss=sum(FORWARD) / 2),
    batch("distillation/soft_targets", {"beta": 1.0}, TWO, loss=sum(REVERSE) / 2),
    batch("distillation/soft_targets", {"beta": 0.25}, TWO, loss=sum(MIXED) / 2),
    batch("distillation/on_policy", answers=TWO, loss=sum(REVERSE) / 2),
    batch("distillation/gkd", {"beta": 0.25, "student.weight": 0.75, "data.weight": 0.25}, TWO,
          others={"given": [spoken([0.5], [0.8])]}, loss=0.75 * sum(MIXED) / 2 + 0.25 * MIXED[1]),
    # Advantages 0.5, -0.5, 0 and -2; -A log π over four tokens
    batch("distillation/sampled", answers=WRITTEN, loss=(0.5 - 1.0 + 0.0 - 2.0) / 4,
          logp=[[-0.125, 0.125, 0.0], [0.5]]),
    batch("distillation/sampled", {"gamma": 0.5}, WRITTEN, loss=(0.25 - 1.0 + 0.0 - 2.0) / 4,
          values={"advantage": [[0.25, -0.5, 0.0], [-2.0]]}),
)  # fmt: skip
