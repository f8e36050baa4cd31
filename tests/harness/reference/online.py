"""Sampled answers without a critic: on their own, and in groups."""

from __future__ import annotations

import math

import torch

from tests.harness.reference.sequence import (
    MAX_TOKENS,
    Plain,
    group_of,
    log_ratio,
    logp,
    places,
    reward,
    trained,
)

# ---- whole answers, without a critic


class reinforce(Plain):
    """`once`: an advantage per answer; the loss is -A log p(y), a mean over the trained rows."""

    @classmethod
    @torch.no_grad()
    def once(cls, m, data, memory):
        rows = trained(data["main"])
        return {r["id"]: cls.advantage(m, r, data["main"], memory) for r in rows} | cls.remember(m, rows, memory)

    @classmethod
    def advantage(cls, m, r, rows, memory):
        return [reward(m, r) - memory.get("mean", 0.0)] * len(r["tokens"])

    @classmethod
    def remember(cls, m, rows, memory):
        mean, seen = sum(reward(m, r) for r in rows) / len(rows), memory.get("weight", 0.0)
        memory["mean"], memory["weight"] = (
            (0.9 * seen * memory.get("mean", 0.0) + 0.1 * mean) / (0.9 * seen + 0.1),
            0.9 * seen + 0.1,
        )
        return {}

    @classmethod
    def loss(cls, m, data, once, hand):
        rows, total = trained(hand["main"]), 0.0
        for r in rows:
            new = logp(m["policy"], r)
            total = total - sum(once[r["id"]][t] * new[t] for t in places(r))
        return total / len(rows)


class Forgetful(reinforce):
    @classmethod
    def remember(cls, m, rows, memory):
        return {}


class rloo(Forgetful):
    @classmethod
    def advantage(cls, m, r, rows, memory):
        shaped = {o["id"]: reward(m, o) - 0.05 * float(log_ratio(m, o)) for o in group_of(r, rows)}
        others = [x for i, x in shaped.items() if i != r["id"]]
        return [shaped[r["id"]] - sum(others) / len(others)] * len(r["tokens"])


class remax(Forgetful):
    @classmethod
    def advantage(cls, m, r, rows, memory):
        greedy = next(o["reward"] for o in rows if o["group"] == r["group"] and o["author"] == 1)
        distance = logp(m["policy"], r) - logp(m["reference"], r)
        after = {t: sum(float(distance[k]) for k in places(r) if k >= t) for t in places(r)}
        return [reward(m, r) - 0.05 * after.get(t, 0.0) - greedy for t in range(len(r["tokens"]))]


class nash_md(Forgetful):
    @classmethod
    def advantage(cls, m, r, rows, memory):
        return [r["reward"] - 0.5 - 0.1 * float(log_ratio(m, r))] * len(r["tokens"])


# ---- groups


class grpo(Plain):
    low, high = 0.2, 0.2

    @classmethod
    @torch.no_grad()
    def once(cls, m, data, memory):
        rows = trained(data["main"])
        return {
            r["id"]: {
                "A": cls.advantage(r, {o["id"]: cls.reward(m, o) for o in group_of(r, rows)}),
                "old": logp(m["policy"], r),
                "ref": logp(m["reference"], r),
            }
            for r in rows
        }

    reward = staticmethod(reward)

    @staticmethod
    def advantage(r, rewards):
        xs = list(rewards.values())
        mean = sum(xs) / len(xs)
        std = math.sqrt(sum((x - mean) ** 2 for x in xs) / (len(xs) - 1))
        return (rewards[r["id"]] - mean) / (std + 1e-6) if std > 0 else 0.0

    @classmethod
    def terms(cls, m, r, o):
        """One number per trained token."""
        new = logp(m["policy"], r)
        for t in places(r):
            rho = (new[t] - o["old"][t]).exp()
            yield -torch.min(rho * o["A"], rho.clamp(1 - cls.low, 1 + cls.high) * o["A"]) + cls.penalty(new[t], o, t)

    @staticmethod
    def penalty(new, o, t):
        d = o["ref"][t] - new
        return 0.04 * (d.exp() - d - 1)

    @classmethod
    def loss(cls, m, data, once, hand):
        rows = trained(hand["main"])
        return sum(sum(cls.terms(m, r, once[r["id"]])) / len(places(r)) for r in rows) / len(rows)


class Unpenalised(grpo):
    @staticmethod
    def penalty(new, o, t):
        return 0.0


class dr_grpo(Unpenalised):
    @staticmethod
    def advantage(r, rewards):
        return rewards[r["id"]] - sum(rewards.values()) / len(rewards)

    @classmethod
    def loss(cls, m, data, once, hand):
        rows = trained(hand["main"])
        return sum(sum(cls.terms(m, r, once[r["id"]])) for r in rows) / MAX_TOKENS / len(rows)


class dapo(Unpenalised):
    high = 0.28

    @staticmethod
    def reward(m, r):
        buffer = 0.2 * MAX_TOKENS
        over = (len(places(r)) - (MAX_TOKENS - buffer)) / buffer
        return reward(m, r) - min(max(over, 0.0), 1.0)

    @classmethod
    def loss(cls, m, data, once, hand):
        rows = trained(hand["main"])
        return sum(sum(cls.terms(m, r, once[r["id"]])) for r in rows) / sum(len(places(r)) for r in rows)


class gspo(Unpenalised):
    @classmethod
    def loss(cls, m, data, once, hand):
        rows, total = trained(hand["main"]), 0.0
        for r in rows:
            o, at = once[r["id"]], places(r)
            s = ((logp(m["policy"], r)[at] - o["old"][at]).sum() / len(at)).exp()
            total = total - torch.min(s * o["A"], s.clamp(1 - 3e-4, 1 + 4e-4) * o["A"])
        return total / len(rows)
