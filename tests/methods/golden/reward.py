"""Golden numbers of the reward models."""

from __future__ import annotations

from math import log

from tests.harness.numbers import answer
from tests.methods.golden.row import batch


def scores(chosen: float, rejected: float):
    return [answer(other=[0.0, 0.0], score=s) for s in (chosen, rejected)]


def pair(chosen: float, rejected: float, **columns: float):
    return [answer(other=[0.0, 0.0], score=s, **columns) for s in (chosen, rejected)]


def ranking(*values: float):
    return [answer(other=[0.0, 0.0], score=s, rank=k, group=0) for k, s in enumerate(values)]


# fmt: off
# A row reads as a line of a paper's example.

REWARD = (
    batch("reward/bradley_terry", answers=scores(1.5, 0.5), pairs=[(0, 1)], loss=0.31326169,
          gradients={"score": [-0.26894142, 0.26894142]},
          metrics={"accuracy": 1, "margin": 1.0, "score/chosen": 1.5, "score/rejected": 0.5}),
    batch("reward/bradley_terry", answers=scores(0.3, 0.3), pairs=[(0, 1)], loss=log(2), metrics={"accuracy": 0.5},
          note="tie"),
    batch("reward/bradley_terry", {"margin": 1.0}, scores(1.5, 0.5), pairs=[(0, 1)], loss=log(2)),
    batch("reward/soft_labels", answers=pair(1.5, 0.5, agreement=0.75), pairs=[(0, 1)], loss=0.56326168752,
          gradients={"score": [-0.01894142137, 0.01894142137]}),
    batch("reward/soft_labels", answers=pair(log(3), 0.0, agreement=0.75), pairs=[(0, 1)],
          gradients={"score": 0.0}, note="its minimum"),
    batch("reward/label_noise", answers=scores(1.5, 0.5), pairs=[(0, 1)], loss=0.37856002352,
          gradients={"score": [-0.22967112068, 0.22967112068]}),
    batch("reward/label_noise", answers=scores(-1.5, 1.5), pairs=[(0, 1)], loss=1.98093140687, note="contradicted"),
    batch("reward/label_noise", {"flips": 0.0}, scores(1.5, 0.5), pairs=[(0, 1)], loss=0.31326169),
    batch("reward/centred", {"centre.weight": 0.1}, scores(1.5, 0.5), pairs=[(0, 1)], loss=0.31326169 + 0.4,
          gradients={"score": [-0.26894142 + 0.4, 0.26894142 + 0.4]}),
    batch("reward/small_scores", {"size.weight": 0.2}, scores(1.5, 0.5), pairs=[(0, 1)], loss=0.31326169 + 0.25,
          gradients={"score": [-0.26894142 + 0.3, 0.26894142 + 0.1]}),
    batch("reward/cool", {"barrier.weight": 0.1}, scores(1.5, 0.5), pairs=[(0, 1)], loss=0.09063223 - 0.31666953,
          gradients={"score": [-0.21032452 + 0.05 * (1 / 3.5 - 1 / 6.5), 0.21032452 + 0.05 * (1 / 4.5 - 1 / 5.5)]}),
    batch("reward/ties", answers=pair(1.5, 0.5, tie=0.0), pairs=[(0, 1)], loss=0.43942789549,
          gradients={"score": [-0.35559501743, 0.35559501743]}),
    batch("reward/ties", answers=pair(1.5, 0.5, tie=1.0), pairs=[(0, 1)], loss=1.84108814291, note="a tie",
          gradients={"score": [0.44745466954, -0.44745466954]}),
    batch("reward/adaptive_scale", answers=scores(2.0, 0.0), pairs=[(0, 1)], loss=-0.560411, within=1e-6),
    batch("reward/adaptive_scale", answers=scores(0.0, 1.0), pairs=[(0, 1)], loss=0.719795, within=1e-6,
          note="contradicted"),
    batch("reward/robust", {"pair_weight.radius": 1 / 3}, [*scores(1.0, 0.0), *scores(0.2, 0.0), *scores(0.0, 1.0)],
          pairs=[(0, 1), (2, 3), (4, 5)], loss=(0.59813887 + 2 * 1.31326169) / 3),
    batch("reward/all_pairs", answers=ranking(1.2, 0.3, -0.5), loss=0.29334685669),
    batch("reward/plackett_luce", answers=ranking(1.2, 0.3, -0.5), loss=0.83436487611),
    batch("reward/choice", answers=ranking(1.2, 0.3, -0.5), loss=0.46326421016),
    batch("reward/choice", answers=ranking(1.5, 0.5), loss=0.31326169, note="two answers",
          gradients={"score": [-0.26894142, 0.26894142]}),
    batch("reward/all_pairs", answers=ranking(1.5, 0.5), loss=0.31326169, note="two answers",
          gradients={"score": [-0.26894142, 0.26894142]}),
    batch("reward/margin", answers=pair(1.5, 0.5, margin=1.0), pairs=[(0, 1)], loss=log(2),
          gradients={"score": [-0.5, 0.5]}),
    batch("reward/grm", pairs=[(0, 1)],
          answers=[answer(reward_logp=[-1.0, -2.0], score=1.5), answer(reward_logp=[-4.0, -9.0], score=0.5)],
          loss=0.31867262309, gradients={"reward_logp": [[-0.00057444252] * 2, [0.0, 0.0]]}),
    batch("reward/pmp", pairs=[(0, 1)],
          answers=[answer(reward_logp=[-1.0, -2.0], score=1.5), answer(reward_logp=[-4.0, -9.0], score=0.5)],
          loss=0.31326169 + 1.5, gradients={"reward_logp": [[-0.5, -0.5], [0.0, 0.0]]}),
    batch("reward/critic_rm", pairs=[(0, 1)], others={"critiques": [answer(reward_logp=[-1.0, -2.0])]},
          answers=[answer(reward_logp=[-1.0], score=1.5), answer(reward_logp=[-4.0], score=0.5)],
          loss=0.31326169 + 1.5, gradients={"score": [-0.26894142, 0.26894142]}),
)
