"""Golden numbers of methods that train what decoders read."""

from __future__ import annotations

from tests.harness.numbers import answer
from tests.methods.golden.row import batch

# fmt: off
# A row reads as a line of a paper's example.

# Differences 0.3 and 0.5 of the first answer, whose reward is 1, and -0.4 of the second, whose reward is 0.
REWARDED = [answer(value=[0.2, 0.5], reward=1.0), answer(value=[0.4], reward=0.0)]

DECODED = (
    batch("offline/re_control", {}, REWARDED, loss=(0.3**2 + 0.5**2 + 0.4**2) / 3,
          gradients={"value": [[-0.6 / 3, (0.6 - 1.0) / 3], [0.8 / 3]]}),
    batch("offline/re_control", {"semi": True}, REWARDED, loss=(0.3**2 + 0.5**2 + 0.4**2) / 3,
          gradients={"value": [[-0.6 / 3, -1.0 / 3], [0.8 / 3]]}),
)
