"""The tests of a selection notice: every function is broken in every small way (tests/harness/mutants.py).

What notices must be fast: all tests of the module's file, or its golden ones where others take long.
"""

from __future__ import annotations

import importlib
import pkgutil

import pytest

from posttrain import selection
from tests.harness.mutants import Logic, cases_of, functions_of, notices, survivors

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # of functions that are broken on purpose
MODULES = [m.name for m in pkgutil.iter_modules(selection.__path__) if not m.ispkg]
SLOW = (
    "candidates",
    "coordinates",
    "duels",
    "lexicase",
    "line_search",
    "linear_reward",
    "optimal_design",
    "pairs",
    "prototypes",
)
# Mutants that do the same thing, or differ only in cost or precision.
EQUIVALENT: dict[str, set[str]] = {
    "_fitted": {
        "swap: e[held] @ solved(e[~held], a[~held], x) - a[held]",  # squared
        "unwrap: int(torch.stack(errors).argmin())",  # a tensor of one number
    },
    "_share": {
        "to Lt: correlation(own - middle * other, other) <= threshold",  # exactly at the threshold
        "unwrap: float(own.std() / other.std())",
        "swap arguments: correlation(own, other)",  # symmetric
        "swap arguments: correlation(own - middle * other, other)",
    },
    "correlation": {  # symmetric; tensors of one number
        "exchange: (a, b)",
        "unwrap: float(x @ y)",
        "unwrap: float(x @ x * (y @ y))",
    },
    "_ranks": {"swap: counts.cumsum(0) - counts / 2", "swap: ranks - ranks.mean()"},  # both lists turn around
    "ordered_share": {"swap arguments: _dot(weights, good)", "swap arguments: _dot(weights, bad)"},  # products
    "prototypes": {
        "to GtE: float(_nearest(state[None], found).values) > threshold",  # exactly at the threshold
        "unwrap: bool((own == k).any())",  # tensors of one number
        "unwrap: float(_nearest(state[None], found).values)",
        "unwrap: float(_nearest(states, sides).values.mean())",
        "unwrap: float(sides.var(0, correction=0).mean())",
    },
    "_nearest": {  # precision
        "drop compute_mode: torch.cdist(states, points, compute_mode='donot_use_mm_for_euclid_dist')"
    },
    "backward_duels": {"add 1: 1"},  # without states nothing is shared
    "Duels.record": {  # a difference from a half, whatever its sign; exactly as wide as the width
        "swap: self.share(a, b) - 0.5",
        "swap arguments: self.share(a, b)",
        "to GtE: self.share(a, b) > 0.5",
        "to GtE: abs(self.share(a, b) - 0.5) > self.width",
    },
    "product": {"exchange: (a, b)", "swap arguments: zip(a, b, strict=True)"},
    "first": {"swap arguments: product(c.features, weights)"},
    "envelope": {"swap arguments: product(c.features, direction)", "swap arguments: product(c.features, weights)"},
    "_crossing": {
        "swap arguments: product(before.features, direction)",
        "swap arguments: product(before.features, weights)",
    },
    "Duels.share": {"to LtE: a < b"},  # two different arms
    "_names": {"add 1: 0"},  # all answers have one prompt
    "_longer": {  # sampled answers are Sampled
        "and to or: isinstance(a, Sampled) and isinstance(b, Sampled)",
        "drop if: isinstance(a, Sampled) and isinstance(b, Sampled)",
    },
    "Posterior.draw": {
        "drop dtype: torch.randn(count, len(self.mean), generator=generator, dtype=torch.float64)",  # precision
        "+ to -: self.mean + moved",  # symmetric
    },
    "_unit": {"drop dim: torch.nn.functional.normalize(vectors, dim=1)"},  # the default
    "double_thompson": {"unwrap: int(torch.randint(len(others), (1,), generator=generator))"},  # a tensor of one number
    "balanced": {"to GtE: by > 0", "to Lt: by > 0"},  # by is not 0, and the sides are treated alike
    "evolved": {
        "drop dtype: torch.randn(pool, d, generator=generator, dtype=differences.dtype)",  # precision
        "to GtE: differences @ directions[h] > 0",  # verdicts are only compared
        "to Lt: differences @ directions[h] > 0",
        "unwrap: dict.fromkeys(_winners(directions, differences, chance))",  # equal verdicts count once anyway
    },
    "hinge_weights": {
        "/ to *: -sum((g[i] for g in short)) / len(gaps)",  # Adam reads no scale
        "+ to -: math.sqrt(unbiased[1]) + 1e-08",  # precision
        "swap arguments: _dot(weights, g)",  # a product
    },
    "_most_alike": {"swap arguments: _product(own, other)"},
    "_product": {"exchange: (a, b)"},
    "_dot": {"exchange: (a, b)", "swap arguments: zip(a, b, strict=True)"},  # a product
    "halves": {"unwrap: set(drawn[:len(pairs) // 2])"},  # cost
    "labels": {"exchange: (one, other)"},  # ordered by reward
    "lexicase": {"add 1: 1"},  # more bits than hypotheses
    "optimal_design": {"unwrap: float(unknown[worst])", "unwrap: int(unknown.argmax())"},  # tensors of one number
    "pairs_of_equal_length": {  # other ways to search the same price
        "* to +: 2 * high",
        "add 1: 0",
        "add 1: 2",
        "add 1: 20",
        "add 1: 40",
        "to GtE: _longer(rollouts, high) > 0",
        "to GtE: _longer(rollouts, middle) > 0",
        "to Lt: _longer(rollouts, low) <= 0",
        "to LtE: high < 2 ** 20",
    },
    "posterior": {  # precision, and the device of the tests
        "drop device: torch.eye(vectors.shape[1], dtype=vectors.dtype, device=vectors.device)",
        "drop dtype: torch.eye(vectors.shape[1], dtype=vectors.dtype, device=vectors.device)",
    },
    "relabelled": {
        "unwrap: set(sorted(range(len(pairs)), key=lambda i: strengths[i])[:round(flip * len(pairs))])",  # cost
    },
    "part_of": {"to Gt: count >= len(records)"},  # a whole turn
    "principal": {
        "drop full_matrices: torch.linalg.svd(vectors, full_matrices=False)",  # cost
        "not: False",
        "unwrap: int((size > nothing).sum())",  # a tensor of one number
    },
    "mismatched": {"+ to -: i + n"},  # the same place, counted from the end of twice the list
    "standardised": {"add 1: 1"},  # 0 over anything
    "with_rates": {"unwrap: float(c.reward > above)", "unwrap: float(answer.reward > above)"},  # True is 1
    "with_phrase": {"unwrap: str(last['content'])"},  # a text already
}


@pytest.mark.parametrize("name", MODULES)
def test_a_broken_selection_is_noticed(name):
    module = importlib.import_module(f"posttrain.selection.{name}")
    own = importlib.import_module(f"tests.selection.test_{name}")
    tests = cases_of(own, "test_golden" if name in SLOW else "test_")
    assert not notices(tests)
    for fn in functions_of(module):
        assert survivors(fn, Logic, tests) == EQUIVALENT.get(fn.__qualname__, set()), fn.__qualname__
