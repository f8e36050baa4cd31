"""Demonstrations."""

from __future__ import annotations

from tests.harness.reference.sequence import Plain, answer_logp, places


class sft(Plain):
    @classmethod
    def loss(cls, m, data, once, hand):
        rows = hand["main"]
        return -sum(answer_logp(m["policy"], r) for r in rows) / sum(len(places(r)) for r in rows)
