"""The pair that every loss of the DPO family is tested on: log-ratios 1 and -0.6, mean log-probs -2 and -3.

`THIRD` makes a list of three of it (log-ratio 0.4, mean log-prob -1), `FRESH` is a sampled answer beside it.
"""

from tests.harness.numbers import answer, step

CHOSEN = answer(logp=[-1.0, -3.0, -2.0, -2.5, -1.5], ref_logp=[-2.0, -2.0, -2.5, -2.5, -2.0])
REJECTED = answer(logp=[-3.0, -2.0, -4.0, -3.0], ref_logp=[-2.9, -2.9, -2.8, -2.8])
THIRD = answer(logp=[-1.0, -1.0], ref_logp=[-1.2, -1.2])
FRESH = answer(logp=[-1.0, -2.0], ref_logp=[-2.0, -2.5], group=0, author=0, rollout_logp=[0.0, 0.0])


def on_pair(method, chosen=CHOSEN, rejected=REJECTED):
    return step(method, chosen, rejected, pairs=[(0, 1)])


def on_pairs(method, logps, ref_logps=None):
    """Pairs of answers of one token: (log-prob of the chosen, of the rejected), and those of the reference, or 0."""
    both = zip(logps, ref_logps or [(0.0, 0.0)] * len(logps), strict=True)
    rows = [answer(logp=[p], ref_logp=[r]) for pair, ref in both for p, r in zip(pair, ref, strict=True)]
    return step(method, *rows, pairs=[(2 * i, 2 * i + 1) for i in range(len(logps))])


def shifted(a, **by):
    """The answer with a constant added to the tokens of some tensors."""
    return answer(**{n: [x + by.get(n, 0.0) for x in v] for n, v in a.values.items()})


def also(a, **values):
    """The answer with more columns."""
    return answer(**a.values, **values)


def listed(*answers, group=0, **columns):
    """The answers as one list, the best first; `columns`: one value per answer."""
    own = [{n: c[i] for n, c in columns.items()} for i in range(len(answers))]
    return [also(a, rank=rank, group=group, **own[rank]) for rank, a in enumerate(answers)]


def flipped(method, **columns):
    """The loss when the labels are exchanged; `columns`: (of the chosen, of the rejected)."""
    sides = [{n: c[i] for n, c in columns.items()} for i in range(2)]
    return on_pair(method, also(REJECTED, **sides[1]), also(CHOSEN, **sides[0])).metrics["loss"]
