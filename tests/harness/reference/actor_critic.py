"""Sampled answers with a critic: PPO and its relatives."""

from __future__ import annotations

import math

import torch

from tests.harness.reference.imitation import sft
from tests.harness.reference.sequence import Plain, logp, places, reward, score, value


def gae(rewards, values, gamma=1.0, lam=0.95):
    out, run = [0.0] * len(rewards), 0.0
    for k in reversed(range(len(rewards))):
        after = values[k + 1] if k + 1 < len(values) else 0.0
        run = rewards[k] + gamma * after - values[k] + gamma * lam * run
        out[k] = run
    return out


def whiten(table):
    flat = [x for xs in table.values() for x in xs]
    mean = sum(flat) / len(flat)
    std = math.sqrt(sum((x - mean) ** 2 for x in flat) / len(flat))
    return {i: [(x - mean) / (std + 1e-8) for x in xs] for i, xs in table.items()}


class ppo(Plain):
    clipped = 0  # probability ratios outside the clip, over all that was ever computed here

    @classmethod
    def kl_weight(cls, kl, rows, memory):
        """`kl`: log-ratio of each trained token to the reference, by row."""
        return 0.05

    @classmethod
    @torch.no_grad()
    def once(cls, m, data, memory):
        rows = data["main"]
        old = {r["id"]: logp(m["policy"], r) for r in rows}
        k1 = {r["id"]: [float(x) for x in (old[r["id"]] - logp(m["reference"], r))[places(r)]] for r in rows}
        weight = cls.kl_weight(k1, rows, memory)
        rewards = {r["id"]: reward(m, r) for r in rows}
        V, A, G = cls.credit(m["critic"], rows, rewards, k1, weight)
        A = cls.combine(m, rows, A, k1, memory)
        return {i: {"old": old[i], "V": V[i], "G": G[i], "A": A[i]} | cls.more(i, memory) for i in old}

    @classmethod
    def credit(cls, critic, rows, rewards, k1, weight):
        """Values, advantages and returns of each trained token, by row."""
        V, A = {}, {}
        for r in rows:
            i = r["id"]
            V[i] = [float(x) for x in value(critic, r)[places(r)]]
            shaped = [-weight * k for k in k1[i]]
            shaped[-1] += rewards[i]
            A[i] = gae(shaped, V[i])
        return V, A, {i: [a + v for a, v in zip(A[i], V[i], strict=True)] for i in A}

    @classmethod
    def combine(cls, m, rows, A, k1, memory):
        return whiten(A)

    @classmethod
    def more(cls, i, memory):
        return {}

    @classmethod
    def loss(cls, m, data, once, hand):
        rows = hand["main"]
        total = 0.0
        for r in rows:
            o, at = once[r["id"]], places(r)
            new, values = logp(m["policy"], r), value(m["critic"], r)
            for i, t in enumerate(at):
                total = total + cls.policy_loss(new[t], o["old"][t], o["A"][i], o)
                total = total + 0.1 * cls.value_loss(values[t], o["V"][i], o["G"][i])
        return total / sum(len(places(r)) for r in rows)

    @classmethod
    def policy_loss(cls, new, old, a, o):
        rho = (new - old).exp()
        ppo.clipped += abs(float(rho.detach()) - 1) > 0.2
        return -torch.min(rho * a, rho.clamp(0.8, 1.2) * a)

    @staticmethod
    def value_loss(new, old, target):
        near = old + (new - old).clamp(-0.2, 0.2)
        return 0.5 * torch.max((new - target) ** 2, (near - target) ** 2)


class ppo_adaptive_kl(ppo):
    @classmethod
    def kl_weight(cls, kl, rows, memory):
        weight = memory.get("weight", 0.2)
        mean = sum(sum(xs) for xs in kl.values()) / len(kl)
        memory["weight"] = weight * (1 + min(max(mean / 6.0 - 1, -0.2), 0.2) * len(kl) / 1e4)
        return weight


class ppo_penalty(ppo):
    @classmethod
    def more(cls, i, memory):
        return {"penalty": memory.get("weight", 1.0)}

    @classmethod
    def policy_loss(cls, new, old, a, o):
        d = new - old
        return -d.exp() * a + o["penalty"] * (d.exp() - d - 1)

    @classmethod
    @torch.no_grad()
    def end(cls, m, data, once, memory):
        gaps = [(once[r["id"]]["old"] - logp(m["policy"], r))[places(r)] for r in data["main"]]
        kl, before = float(torch.cat(gaps).mean()), memory.get("weight", 1.0)
        memory["weight"] = before * 2 if kl > 0.015 else before / 2 if kl < 0.01 / 1.5 else before


class apa(ppo):
    @classmethod
    def policy_loss(cls, new, old, a, o):
        return (new - old - a / 0.1) ** 2

    @staticmethod
    def value_loss(new, old, target):
        return 0.5 * (new - target) ** 2


class awr(apa):
    @classmethod
    def policy_loss(cls, new, old, a, o):
        return -min(math.exp(a), 20.0) * new


class ppo_ptx(ppo):
    @classmethod
    def loss(cls, m, data, once, hand):
        return super().loss(m, data, once, hand) + sft.loss(m, data, once, {"main": hand["pretrain"]})


class safe_rlhf(ppo):
    @classmethod
    def combine(cls, m, rows, A, k1, memory):
        costs = {r["id"]: float(score(m["cost"], r)) for r in rows}
        V, C, G = cls.credit(m["cost_critic"], rows, costs, k1, -0.05)
        memory["costs"] = {i: {"CV": V[i], "CG": G[i]} for i in V}
        before, mean = memory.get("lambda", 1.0), sum(costs.values()) / len(costs)
        memory["cost"] = 0.9 * memory["cost"] + 0.1 * mean if "cost" in memory else mean
        memory["lambda"] = now = min(math.exp(math.log(before) + 0.04 * before * memory["cost"]), 5.0)
        return {i: [(a - now * c) / (1 + now) for a, c in zip(A[i], C[i], strict=True)] for i in A}

    @classmethod
    def more(cls, i, memory):
        return memory["costs"][i]

    @classmethod
    def loss(cls, m, data, once, hand):
        rows, total = hand["main"], 0.0
        for r in rows:
            o, values = once[r["id"]], value(m["cost_critic"], r)
            for i, t in enumerate(places(r)):
                total = total + 0.1 * cls.value_loss(values[t], o["CV"][i], o["CG"][i])
        return super().loss(m, data, once, hand) + total / sum(len(places(r)) for r in rows)
