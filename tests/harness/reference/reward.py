"""Reward models."""

from __future__ import annotations

from torch.nn.functional import logsigmoid

from tests.harness.reference.preference import Pairs
from tests.harness.reference.sequence import score


class bradley_terry(Pairs):
    @staticmethod
    def score(m, r):
        return score(m["reward"], r)

    @staticmethod
    def link(z):
        return -logsigmoid(z)
