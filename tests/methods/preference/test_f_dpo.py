import math

import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from tests.harness.numbers import answer
from tests.methods.preference.pair import on_pair

F_DPO, DPO = load("preference/f_dpo"), load("preference/dpo")
VALUES = {"reverse_kl": 0.61634377, "forward_kl": 0.62307640, "jensen_shannon": 0.65759135, "alpha": 0.62157451}
SECOND = {  # u f''(u) at u = e^1 and e^-0.6, by which the gradients differ
    "reverse_kl": (1, 1),
    "forward_kl": (math.exp(-1), math.exp(0.6)),
    "jensen_shannon": (1 / (1 + math.e), 1 / (1 + math.exp(-0.6))),
    "alpha": (math.exp(-0.5), math.exp(0.3)),
}


@pytest.mark.parametrize("divergence", VALUES)
def test_golden(divergence):
    one = on_pair(configure(F_DPO, {"divergence": divergence}))
    assert one.metrics["loss"] == pytest.approx(VALUES[divergence], abs=1e-8)
    wrong = 0.1 * (1 - math.exp(-VALUES[divergence]))
    chosen, rejected = SECOND[divergence]
    assert one.gradient("logp")[0] == pytest.approx([-wrong * chosen] * 5, rel=1e-6)
    assert one.gradient("logp")[1] == pytest.approx([wrong * rejected] * 4, rel=1e-6)


@pytest.mark.parametrize("divergence", VALUES)
def test_golden_the_score_of_the_reference_itself_is_zero(divergence):
    """f'(1) = 0 for all four, so against a reference answer the other's score stands alone."""
    score = {"reverse_kl": 1, "forward_kl": 1 - math.exp(-1), "jensen_shannon": math.log(2 / (1 + math.exp(-1)))}
    z = score.get(divergence, 2 * (1 - math.exp(-0.5)))
    one = on_pair(
        configure(F_DPO, {"divergence": divergence, "beta": 1.0}),
        answer(logp=[-1.0], ref_logp=[-2.0]),
        answer(logp=[-1.0], ref_logp=[-1.0]),
    )
    assert one.metrics["loss"] == pytest.approx(math.log1p(math.exp(-z)), abs=1e-12)


def test_the_reverse_kl_is_dpo():
    assert on_pair(configure(F_DPO, {"divergence": "reverse_kl"})).metrics == on_pair(DPO).metrics


@pytest.mark.parametrize(("alpha", "name"), [(1.0, "forward_kl"), (1e-9, "reverse_kl")])
def test_alpha_runs_from_the_reverse_to_the_forward_kl(alpha, name):
    one = on_pair(configure(F_DPO, {"divergence": "alpha", "alpha": alpha}))
    assert one.metrics["loss"] == pytest.approx(VALUES[name], abs=1e-7)
