import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from posttrain.core.plan import plan
from tests.harness.numbers import step
from tests.methods.online.group import group, per_answer

pytestmark = pytest.mark.paper("xiao2024ro4")

CONDITIONAL = load("online/conditional_pm_rlhf")


def advantages(method, *rows):
    return per_answer(step(method, *rows).value("advantage"))


def test_where_everything_is_natural_it_is_pm_rlhf_whatever_epsilon():
    everything = configure(CONDITIONAL, {"natural": 1e9, "log_epsilon": -7.0})
    assert advantages(everything, *group(ref_logp=-9.0)) == pytest.approx(advantages(load("online/pm_rlhf"), *group()))


def test_where_nothing_is_natural_it_is_rloo():
    nothing = configure(CONDITIONAL, {"natural": -1.0, "kl_weight": 0.3})
    rloo = configure(load("online/rloo"), {"kl_weight": 0.3})
    rows = group(ref_logp=-2.5)
    assert advantages(nothing, *rows) == pytest.approx(advantages(rloo, *rows))


def test_the_threshold_itself_is_natural_and_is_per_token():
    """Answers of one token and of four, all of -3 a token: natural, or held by a KL of -0.05 · 2 a token."""
    rows = group([0.0, 0.0], [1, 4], ref_logp=-3.0)
    assert advantages(CONDITIONAL, *rows) == pytest.approx([-3.0, 3.0])
    above = configure(CONDITIONAL, {"natural": 2.999})
    assert advantages(above, *rows) == pytest.approx([0.3, -0.3])


def test_the_reference_is_loaded():
    assert "reference" in plan(CONDITIONAL).loaded
