"""What several attempts at a question are worth: pass@k, pass^k, majority votes, and the best by a reward.

    pass@k = 1 - C(n-c, k) / C(n, k)        one of k attempts is right         (Chen et al., 2021)
    pass^k = C(c, k) / C(n, k)              all of k attempts are right        (Yao et al., 2024)
    maj@n                                   the most frequent answer is right  (Wang et al., 2022)
    best@k = Σ_i w_i(k) q_(i)               the best of k by a reward r, in quality q; rm@k where q is right or wrong

q_(i) belongs to the i-th highest of n rewards, and w_i(k) = C(n-i, k-1) / C(n, k) is the probability that it is the
highest of k that are drawn. Equal rewards share their weights.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence

from posttrain.evaluation.statistics import pass_all, pass_at
from posttrain.evaluation.suite import Item, Metric, Whole


def attempts(right: Metric, n: int, answer: Callable[[Item], Hashable | None]) -> dict[str, Whole]:
    """Return pass@k and pass^k for k = 2, 4, ... up to n, and maj@n, as numbers of one question; none for n = 1.

    `right`: 1 or 0. `answer`: what votes; None has no vote.
    """

    def drawn(share: Callable[[int, int, int], float], k: int) -> Whole:
        return lambda items: share(k, len(items), sum(right(i) == 1 for i in items))

    def voted(items: Sequence[Item]) -> float:
        return majority([answer(i) for i in items], [right(i) == 1 for i in items])

    powers = [2**i for i in range(1, n.bit_length())]
    found: dict[str, Whole] = {f"pass@{k}": drawn(pass_at, k) for k in powers}
    found |= {f"pass^{k}": drawn(pass_all, k) for k in powers}
    return found | ({f"maj@{n}": voted} if n > 1 else {})


def majority(answers: Sequence[Hashable | None], right: Sequence[bool]) -> float:
    """Return 1.0 if the most frequent answer is right; of equally frequent ones the share that is right.

    Where nothing can be read, 0.
    """
    votes = Counter(a for a in answers if a is not None)
    if not votes:
        return 0.0
    most = max(votes.values())
    correct: Mapping[Hashable | None, bool] = dict(zip(answers, right, strict=True))
    first = [a for a, count in votes.items() if count == most]
    return sum(correct[a] for a in first) / len(first)


def best_of(k: int, rewards: Sequence[float], quality: Sequence[float]) -> float:
    """Return the expected quality of the answer with the highest reward of k that are drawn without replacement.

    With the reward as quality it is best-of-k's own reward; with right or wrong it is rm@k. ValueError unless
    1 <= k <= n.
    """
    n = len(rewards)
    if not 1 <= k <= n:
        raise ValueError(f"best of {k} of {n} answers")
    order = sorted(range(n), key=lambda i: -rewards[i])
    total, start = 0.0, 0
    while start < n:
        end = start
        while end < n and rewards[order[end]] == rewards[order[start]]:
            end += 1
        # that the highest of k is in this tie: none of the better ones is drawn, and not only worse ones are
        weight = (math.comb(n - start, k) - math.comb(n - end, k)) / math.comb(n, k)
        total += weight * sum(quality[i] for i in order[start:end]) / (end - start)
        start = end
    return total
