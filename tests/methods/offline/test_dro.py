import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from tests.harness.numbers import answer, step

pytestmark = pytest.mark.paper("000:[8]", "000-text:last-mile fine-tuning")

DRO = configure(load("offline/dro"), {"tau": 0.5})


def on(reward=1.0, value=0.2, ratio=1.0, **settings):
    one = answer(logp=[-1.0, -2.0], ref_logp=[-1.0, -2.0 - ratio], value=[value, 9.0], reward=reward)
    return step(configure(DRO, settings), one)


@pytest.mark.parametrize("ratio", [-2.0, 0.0, 1.6])
def test_at_the_optimum_every_answer_has_residual_zero(ratio):
    one = on(reward=0.7 + 0.5 * ratio, value=0.7, ratio=ratio)
    assert one.metrics["loss"] == pytest.approx(0, abs=1e-15)


def test_a_constant_on_the_rewards_moves_the_value_only():
    assert on(reward=4.0, value=3.2).gradient("logp")[0] == pytest.approx(on().gradient("logp")[0])


def test_of_two_answers_the_difference_of_residuals_is_that_of_squared_rpo():
    """With V eliminated: τ h - (r_w - r_l)."""
    from tests.methods.preference.pair import CHOSEN, REJECTED, also, on_pair

    rpo = configure(load("preference/rpo"), {"distance": "squared", "beta": 0.5})
    pair = on_pair(rpo, also(CHOSEN, reward=1.0), also(REJECTED, reward=0.3)).metrics["loss"]
    residuals = [on(reward=r, ratio=s).gradient("logp")[0][0] for r, s in ((1.0, 1.0), (0.3, -0.6))]
    assert (residuals[0] - residuals[1]) ** 2 == pytest.approx(pair)
