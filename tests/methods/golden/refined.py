"""Golden numbers of refinements of pair losses: which answers are a pair, and what counts how much."""

from __future__ import annotations

from math import log

from tests.harness.numbers import answer
from tests.methods.golden.online import DPO, WRONG, scored
from tests.methods.golden.row import batch, pair
from tests.methods.preference.pair import CHOSEN, REJECTED, THIRD

# fmt: off
# A row reads as a line of a paper's example.

REFINED = (
    # Two answers of either model: the policy's own are 3 apart and no pair.
    batch("online/xpo", {"exploration.weight": 0.0},
          [scored(CHOSEN, 3.0), scored(THIRD, 0.0), scored(REJECTED, 1.0, author=1), scored(THIRD, 2.0, author=1)],
          loss=None, values={"pairs": [[0, 2]]}, note="a pair has an answer of each model"),
    batch("online/xpo", {"exploration.weight": 0.0},
          [scored(CHOSEN, 1.0, author=1), scored(THIRD, 1.0), scored(REJECTED, 0.0), scored(REJECTED, 0.0)],
          loss=DPO, logp=[-0.1 * WRONG, 0, 0.1 * WRONG, 0], values={"pairs": [[0, 2]]},
          note="of equals the first, and either model may be better"),
    batch("online/xpo", {"exploration.weight": 0.0},
          [scored(CHOSEN, 1.0), scored(REJECTED, 0.0), scored(CHOSEN, 1.0, prompt=1),
           scored(REJECTED, 0.0, prompt=1, author=1), scored(THIRD, 9.0, prompt=1, author=1, train=False)],
          values={"pairs": [[2, 3]]}, note="prompts do not mix, and only trained answers count"),
    # Preferred answers of 1 and 3 tokens: 1 and 0.5 nats a token, (1 + 3 · 0.5) / 4 against (1 + 0.5) / 2.
    *(batch("preference/orpo", {"odds.weight": 0.0, **over},
            [answer(logp=[-1.0]), answer(logp=[-3.0]), answer(logp=[-0.5] * 3), answer(logp=[-3.0])],
            pairs=[(0, 1), (2, 3)], loss=loss, logp=[first, 0, third, 0])
      for over, loss, first, third in [({"over": "tokens"}, 0.625, -1 / 4, -1 / 4), ({}, 0.75, -1 / 2, -1 / 6)]),
    batch("preference/orpo", {"over": "tokens"}, [answer(logp=[log(0.9)]), answer(logp=[log(0.9)])], pairs=[(0, 1)],
          loss=-log(0.9) + 0.1 * log(2), note="one answer"),
    # The mean log-ratios are 0.2 and -0.15, so that the gap is 0.35; the target is 0.5 · 0.2 + 1/(2 · 0.5).
    pair("preference/sr_ipo", {"weight": 0.5, "tau": 0.5}, columns={"margin": (0.2, 0.2)}, loss=0.75**2,
         chosen=-2 * 0.75 / 5, rejected=2 * 0.75 / 4),
    pair("preference/sr_ipo", columns={"margin": (-46.5, 0.0)}, loss=0.0, note="the chosen answer's margin counts"),
)
