"""Pairs and ratings."""

from __future__ import annotations

import torch
from torch.nn.functional import logsigmoid

from tests.harness.reference.sequence import Plain, answer_logp, log_ratio, places


class Pairs(Plain):
    @classmethod
    def loss(cls, m, data, once, hand):
        here = {r["id"] for r in hand["main"]}
        pairs = [(w, r) for w, r in data["pairs"] if w["id"] in here]
        return sum(cls.link(cls.score(m, w) - cls.score(m, r)) for w, r in pairs) / len(pairs)


class dpo(Pairs):
    score = staticmethod(log_ratio)

    @staticmethod
    def link(z):
        return -logsigmoid(0.1 * z)


class ipo(Pairs):
    @staticmethod
    def score(m, r):
        return log_ratio(m, r) / len(places(r))

    @staticmethod
    def link(z):
        return (z - 1 / (2 * 0.1)) ** 2


class simpo(Pairs):
    @staticmethod
    def score(m, r):
        return answer_logp(m["policy"], r) / len(places(r))

    @staticmethod
    def link(z):
        return -logsigmoid(2.0 * z - 1.0)


class kto(Plain):
    @classmethod
    def loss(cls, m, data, once, hand):
        with torch.no_grad():
            others = hand["mismatched"]
            z = max(0.0, float(sum(log_ratio(m, r) for r in others) / len(others)))
        signs = [1 if r["label"] else -1 for r in hand["main"]]
        gains = [0.1 * (log_ratio(m, r) - z) for r in hand["main"]]
        return sum(1 - torch.sigmoid(s * g) for s, g in zip(signs, gains, strict=True)) / len(gains)
