"""The golden numbers notice: every formula that a method reads is broken in every small way (tests/harness/mutants.py),
and one must fail."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path

import pytest

from posttrain.catalogue import index as catalogue
from posttrain.core.maths import divergence
from posttrain.core.maths.groups import Groups
from tests.harness.mutants import Formula, cases_of, notices, survivors
from tests.harness.parts import every_part
from tests.methods.golden import ROWS

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # of formulas that are broken on purpose
HERE = Path(__file__).parent
# Mutants that compute the same thing, or that differ only where no batch can be.
EQUIVALENT: dict[str, set[str]] = {
    "Groups.std": {"swap: x - self.mean(x)"},  # squared
    "kl_k2": {"swap: logp - ref_logp", "exchange: (logp, ref_logp)"},  # squared
    "absolute_error": {"swap: middle - attributes"},  # an absolute value
    "adaptive_entropy": {"negate: return ({'weight': weight}, rollout_logp.new_tensor(0.0))"},  # zero
    "add_value": {"exchange: (credit, old_value)"},  # a sum
    "advantage_error": {"swap: logp - ref_logp - token_reward / beta"},  # squared
    "advantage_regression": {"swap: logp - anchor_logp - advantage / temperature"},  # squared
    "attribute_error": {
        "swap: by_attribute(scores, attributes, 1)[..., 0] - attributes",  # squared
        "exchange: (scores, attributes)",
    },
    "adversarial_reward": {"swap: doubt - share @ doubt"},  # a product of two
    "capped": {"exchange: (calibrated, allowed)"},  # a product
    "clipped_value": {"swap: value - returns", "swap: near - returns"},  # squared
    "conservative": {"drop -: -1"},  # the last of two axes
    "convex": {"swap: z - 1"},  # squared
    "disagreement": {"swap: chosen - rejected"},  # a standard deviation
    "expectation_error": {"swap: correction - error.detach()"},  # squared
    "expected_value": {"drop -: -1"},  # the last of two axes
    "all_actions": {"drop -: -1"},  # the last of two axes
    "explained_variance": {
        "swap: returns - old_value",  # a variance
        "negate: return target.new_zeros(())",  # zero
    },
    "forward_kl": {"drop -: -1"},  # the last of two axes
    "generalised_jsd": {"drop -: -1"},  # the last of two axes
    "gap_std_ema": {"exchange: (chosen, rejected)", "swap: chosen - rejected"},  # a standard deviation
    "gaussian_nll": {"swap: attributes - mean"},  # squared
    "high_entropy": {"negate: return torch.zeros_like(entropy)"},  # zero
    "highest_covariance": {
        "negate: return torch.zeros_like(advantage)",  # zero
        "exchange: (advantage, logp)",  # a product
    },
    "log_ratio_size": {"swap: logp - old_logp", "exchange: (logp, old_logp)"},  # an absolute value
    "soft_multi_step": {"swap: rows.discount(logp, 1.0) - (rows.spread(scaled_reward) - level)"},  # squared
    "soft_one_step": {"swap: logp - (following - level)"},  # squared
    "log_odds": {"drop -: -math.log(2)", "turn: mean > -math.log(2)"},  # two ways to compute one number
    "on_policy_weight": {
        "negate: return bounded_exp(rows.mean(logp.detach() - expected))",  # read as a product of two
        "drop -: -1",  # the last of two axes
    },
    "choice_return": {"exchange: (choice_credit, prompt_value)"},  # a sum
    "gae_over_choices": {"negate: return torch.zeros_like(prompt_value)"},  # zero
    "whitened_choices": {"negate: return torch.zeros_like(choice_credit)"},  # zero
    "chain_error": {"swap: token_reward + following - value"},  # squared
    "of_guide": {"exchange: (loss, guided)"},  # a product
    "one_step_error": {"swap: token_reward + gamma * rows.next(value.detach()) - taken_q"},  # squared
    "reinforce": {"exchange: (logp, advantage)"},  # a product
    "reward_minus_energy": {"swap: written.mean(old_energy) - usual"},  # an absolute value
    "reward_gap": {"swap: a - b"},  # squared
    "spread_of_values": {
        "swap: q - q.mean(-1, keepdim=True)",  # squared
        "drop -: -1",  # the last of two axes
    },
    "safety_target": {
        "swap: chosen - rejected - (1.5 * chosen_safe - 0.5 * rejected_safe - alpha) / tau",  # squared
    },
    "sampler_gap": {"swap: old_logp - rollout_logp", "exchange: (old_logp, rollout_logp)"},  # an absolute value
    "soft_bellman": {
        "swap: reward - value.detach() - tau * score",  # squared
        "swap: reward - value - tau * score.detach()",  # squared
    },
    "squared_error": {"exchange: (value, target)", "swap: value - target"},  # squared
    "margin_squared": {"swap: chosen - rejected - weight * chosen_margin - 1 / (2 * tau)"},  # squared
    "squared": {"swap: chosen - rejected - 1 / (2 * tau)"},  # squared
    "surrogate": {"exchange: (advantage, ratio)"},  # a product
    "masked_logp": {"drop -: -1"},  # the last of two axes
    "taken": {"drop -: -1"},  # the last of two axes
    "times_row_weight": {"exchange: (score, row_weight)"},  # a product
    "times_weight": {"exchange: (loss, pair_weight)"},  # a product
    "intervention_effect": {
        "swap: Groups.of(group, author == 1).mean(reward) - reward",  # an absolute value
        "negate: return torch.ones_like(reward)",  # of no token
    },
    "kept_pairs": {"swap: chosen - rejected - mean_gap"},  # squared
    "self_play": {"swap: chosen - 1 / (2 * beta)"},  # squared
    "midpoint_ema": {"exchange: (chosen, rejected)"},  # a sum
    "value_error": {"exchange: (value, returns)", "swap: value - returns"},  # squared
    "weighed": {"exchange: (loss, weight)"},  # a product
    "whiten": {"negate: return torch.zeros_like(credit)"},  # zero
    "without_high_covariance": {"exchange: (advantage, logp)"},  # a product
    "within_divergence": {"swap: p - q"},  # an absolute value
    "squared_sum": {"exchange: (chosen, rejected)"},  # a sum
}


def readers() -> dict[Callable, list[str]]:
    """Every function that a shipped method reads, and those methods; the helpers that they stand on."""
    found: dict[Callable, list[str]] = {}
    for path in catalogue.paths():
        for fn in dict.fromkeys(p.fn for p in every_part(catalogue.load(path))):
            found.setdefault(fn, []).append(path)
    helpers = [divergence.bounded_exp, divergence.k1, divergence.k2, divergence.k3]
    helpers += [Groups.sum, Groups.mean, Groups.std, Groups.standardise]
    return found | dict.fromkeys(helpers, ["online/grpo"])


FUNCTIONS = {fn.__qualname__: fn for fn in readers()}


def goldens(path: str) -> list[Callable[[], None]]:
    """A method's rows of the golden table, and every test_golden* of its own file with its parameters filled in."""
    rows = [row.check for row in ROWS if row.path == path]
    folder, name = path.split("/")
    if not (HERE / folder / f"test_{name}.py").exists():
        return rows
    module = importlib.import_module(f"tests.methods.{folder}.test_{name}")
    return rows + cases_of(module, "test_golden")


@pytest.mark.parametrize("path", catalogue.paths())
def test_every_method_has_golden_numbers_and_they_hold(path):
    assert goldens(path), f"no row of tests/methods/golden is of {path}"
    assert not notices(goldens(path))


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_a_broken_formula_is_noticed(name):
    fn = FUNCTIONS[name]
    tests = [test for path in readers()[fn] for test in goldens(path)]
    assert survivors(fn, Formula, tests) == EQUIVALENT.get(name, set())
