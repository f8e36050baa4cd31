"""One sequence at a time: what the models say about a row, and the methods' common base."""

from __future__ import annotations

import torch

MAX_TOKENS = 8


def hidden(net, r):
    return net.hidden(torch.tensor([r["tokens"]]))[0]


def logp(net, r):
    """Entry t is the log-prob of token t; that of the first token is 0."""
    logps = net.lm(hidden(net, r)[:-1]).log_softmax(-1)
    return torch.stack([torch.zeros(()), *(row[t] for row, t in zip(logps, r["tokens"][1:], strict=True))])


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
