"""CogBench: A Large Language Model Walks Into a Psychology Lab (Coda-Forno et al., 2024): probabilistic reasoning.

A wheel chooses an urn, a ball is drawn from it, and the participant says how probable the first urn is:

    logit(reply) = c + w_prior logit(prior) + w_likelihood logit(likelihood)        (1, 1) for Bayes' rule
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product

from posttrain.evaluation.metrics.regression import least_squares
from posttrain.evaluation.suite import Item, Suite, user
from posttrain.evaluation.suites.cognition.replies import number
from posttrain.records import Prompt

PRIORS, SHARES = (0.1, 0.3, 0.5, 0.7, 0.9), (0.2, 0.4, 0.6, 0.8)


def probabilistic_reasoning(*, max_tokens: int = 16) -> Suite:
    """Build the suite.

    Settings:
        max_tokens: longest reply in tokens; at least 4.
    """
    prompts = [
        Prompt(i, user(told(prior, share, red)), {"prior": prior, "likelihood": share if red else 1 - share})
        for i, (prior, share, red) in enumerate(product(PRIORS, SHARES, (True, False)))
    ]
    return Suite(
        prompts,
        {"error": error},
        wholes={"prior_weight": lambda items: weight(items, 1), "likelihood_weight": lambda items: weight(items, 2)},
        extract=number,
        max_tokens=max_tokens,
    )


def told(prior: float, share: float, red: bool) -> str:
    """Tell the experiment; the second urn has the shares of the two colours exchanged."""
    return (
        f"A wheel of fortune has {prior * 100:.0f} fields F and {100 - prior * 100:.0f} fields J. Urn F holds "
        f"{share * 100:.0f} red and {100 - share * 100:.0f} blue balls, urn J holds {100 - share * 100:.0f} red and "
        f"{share * 100:.0f} blue balls. The wheel is spun, and a ball is drawn from the urn of that letter. It is "
        f"{'red' if red else 'blue'}. How probable is it that it comes from urn F? Reply with a number from 0 to 1."
    )


def logit(p: float) -> float:
    """Return log(p / (1 - p)), of a p that is kept a hundredth away from 0 and 1."""
    p = min(0.99, max(0.01, p))
    return math.log(p / (1 - p))


def bayes(item: Item) -> float:
    """Return the probability of the first urn by Bayes' rule."""
    odds = item["prior"] / (1 - item["prior"]) * item["likelihood"] / (1 - item["likelihood"])
    return float(odds / (1 + odds))


def error(item: Item) -> float | None:
    """Return how far the reply is from Bayes' rule."""
    return None if item.answer is None else abs(float(item.answer) - bayes(item))


def weight(items: Sequence[Item], which: int) -> float | None:
    """Return a coefficient of the regression of log odds: 1 of the prior, 2 of the likelihood."""
    read = [i for i in items if i.answer is not None]
    rows = [[logit(i["prior"]), logit(i["likelihood"])] for i in read]
    fitted = least_squares(rows, [logit(float(i.answer or 0)) for i in read]) if read else None
    return None if fitted is None else fitted[which]
