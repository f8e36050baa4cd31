"""Golden numbers of reward models that know what they do not know."""

from __future__ import annotations

from posttrain.records import Numbers
from tests.harness.numbers import answer
from tests.methods.golden.row import batch


def members(*scores: tuple[float, ...]):
    return [answer(other=[0.0, 0.0], member_scores=s) for s in scores]


# fmt: off
# A row reads as a line of a paper's example.

# Two answers and two of the reference, whose mean is 1/2 and (0, -1). δ = (1, 1) and (0, 2), so ḡ = (1, 3)/2, and the
# worst reward of each is lower by 2/√2.5 and 3/√2.5 at B = 1.
EXPLORED = [
    answer(logp=[-1.0], ref_logp=[-1.0], group=0, author=0, model_reward=2.0, doubt=Numbers((1.0, 0.0))),
    answer(logp=[-1.0], ref_logp=[-1.0], group=0, author=0, model_reward=1.0, doubt=Numbers((0.0, 1.0))),
    answer(False, logp=[-1.0], ref_logp=[-1.0], group=0, author=1, model_reward=0.0, doubt=Numbers((1.0, -1.0))),
    answer(False, logp=[-1.0], ref_logp=[-1.0], group=0, author=1, model_reward=1.0, doubt=Numbers((-1.0, -1.0))),
]

ENSEMBLES = (
    batch("online/advpo", answers=EXPLORED, values={"worst_reward": [0.23508894, -1.39736660, -0.81622777, 0.81622777],
          "advantage": [[1.63245554], [-1.63245554], None, None]}),
    batch("online/advpo", {"radius": 0.0}, EXPLORED, values={"worst_reward": [1.5, 0.5, -0.5, 0.5]}, note="no doubt"),
    # Δ = 1, m = 1.5, q = 0.75: z = -0.5
    batch("reward/soft_margin", pairs=[(0, 1)], loss=0.75 * 0.97407698 + 0.25 * 0.47407698,
          answers=[answer(other=[0.0], score=s, agreement=0.75, margin=1.5) for s in (1.5, 0.5)],
          gradients={"score": [0.62245933 * -1 + 0.25, 0.62245933 - 0.25]}),
    batch("reward/ensemble", {"bootstrap": False}, members((1.5, 0.2), (0.5, 0.7)), pairs=[(0, 1)], loss=0.64366933,
          gradients={"member_scores": [[-0.13447071, -0.31122967], [0.13447071, 0.31122967]]},
          metrics={"accuracy": 1, "margin": 0.25, "disagreement": 0.75, "score/chosen": 0.85, "score/rejected": 0.6}),
    batch("reward/up_rlhf", {"bootstrap": False, "diversity.weight": 0.5}, pairs=[(0, 1)], loss=0.64366933 - 0.5 * 3.0,
          answers=[answer(other=[0.0], member_scores=s, diversity=3.0) for s in ((1.5, 0.2), (0.5, 0.7))],
          gradients={"diversity": [-0.25, -0.25]}),
    # The id of the pair is 6001, which is 1, 1, 3 and 0 times in the samples of its members.
    batch("reward/ensemble", {}, members((0.5, 0.7, 0.3, 9.0), (1.5, 0.2, 0.0, 0.0)), pairs=[(1, 0)],
          loss=(0.31326169 + 0.97407698 + 3 * 0.85435524) / 4),
)
