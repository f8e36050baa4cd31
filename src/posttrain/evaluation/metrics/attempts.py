"""What several attempts at a question are worth: pass@k, pass^k and majority votes.

    pass@k = 1 - C(n-c, k) / C(n, k)        one of k attempts is right         (Chen et al., 2021)
    pass^k = C(c, k) / C(n, k)              all of k attempts are right        (Yao et al., 2024)
    maj@n                                   the most frequent answer is right  (Wang et al., 2022)

The best of k by a reward, and rm@k, are in `evaluation/reward_models/best_of_n.py`.
"""

from __future__ import annotations

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
