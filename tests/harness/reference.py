"""Every method once more, independently: float64, one sequence at a time, plain loops, torch autograd.

With the library it shares the weights of the networks, the data, and which rows meet in an optimiser step.
A method is a class with once(nets, data, memory) -> what is fixed before the passes, loss(nets, data, once, hand)
-> a number to differentiate, and end(nets, data, once, memory) for what is made after the passes. A row is a dict:
tokens, mask (trained tokens), id, and its columns. `memory` holds the state from one batch to the next.
"""

from __future__ import annotations

import math

import torch
from torch.nn.functional import logsigmoid

MAX_TOKENS = 8


# ---- one sequence


def hidden(net, r):
    return net.hidden(torch.tensor([r["tokens"]]))[0]


def logp(net, r):
    """Entry t is the log-prob of token t; that of the first token is 0."""
    law = net.lm(hidden(net, r)[:-1]).log_softmax(-1)
    return torch.stack([torch.zeros(()), *(row[t] for row, t in zip(law, r["tokens"][1:], strict=True))])


def value(net, r):
    return torch.cat([torch.zeros(1), net.value(hidden(net, r)[:-1])[:, 0]])


def score(net, r):
    return net.score(hidden(net, r)[-1])[0]


def places(r):
    return [t for t, trained in enumerate(r["mask"]) if trained]


def answer_logp(net, r):
    return logp(net, r)[places(r)].sum()


def log_ratio(m, r):
    with torch.no_grad():
        reference = answer_logp(m["reference"], r)
    return answer_logp(m["policy"], r) - reference


def reward(m, r):
    return r["reward"] if "reward" in r else float(score(m["reward"], r))


def trained(rows):
    return [r for r in rows if places(r)]


def group_of(r, rows):
    return [other for other in trained(rows) if other["group"] == r["group"]]


class Plain:
    """Defaults: nothing to prepare, nothing to remember."""

    @classmethod
    def once(cls, m, data, memory):
        return {}

    @classmethod
    def end(cls, m, data, once, memory):
        pass


# ---- demonstrations, pairs, ratings


class sft(Plain):
    @classmethod
    def loss(cls, m, data, once, hand):
        rows = hand["main"]
        return -sum(answer_logp(m["policy"], r) for r in rows) / sum(len(places(r)) for r in rows)


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


class bradley_terry(Pairs):
    @staticmethod
    def score(m, r):
        return score(m["reward"], r)

    @staticmethod
    def link(z):
        return -logsigmoid(z)


class kto(Plain):
    @classmethod
    def loss(cls, m, data, once, hand):
        with torch.no_grad():
            others = hand["mismatched"]
            z = max(0.0, float(sum(log_ratio(m, r) for r in others) / len(others)))
        signs = [1 if r["label"] else -1 for r in hand["main"]]
        gains = [0.1 * (log_ratio(m, r) - z) for r in hand["main"]]
        return sum(1 - torch.sigmoid(s * g) for s, g in zip(signs, gains, strict=True)) / len(gains)


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


# ---- with a critic


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
        A = cls.combine(m, rows, whiten(A), k1, memory)
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
        return A

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
        C = whiten(C)
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
