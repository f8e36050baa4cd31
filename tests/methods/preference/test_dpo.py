import math

import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from posttrain.core.method import Term, variant
from posttrain.core.parts import pairwise
from posttrain.formulas.losses.pairs import logistic
from posttrain.formulas.losses.scores import sum_logp
from tests.harness.numbers import answer, step
from tests.methods.preference.pair import CHOSEN, REJECTED, on_pair, shifted

pytestmark = pytest.mark.paper("rafailov20239ck")

DPO = load("preference/dpo")


def test_log_2_while_the_policy_is_the_reference():
    same = [answer(logp=x, ref_logp=x) for x in ([-1.0, -2.0], [-0.5, -0.1, -3.0])]
    assert on_pair(DPO, *same).metrics["loss"] == pytest.approx(math.log(2), abs=1e-12)


def test_smoothing_stops_the_gap_where_sigma_z_is_1_minus_epsilon():
    gap = math.log(0.9 / 0.1) / 0.1
    certain = answer(logp=[gap], ref_logp=[0.0]), answer(logp=[0.0], ref_logp=[0.0])
    assert on_pair(configure(DPO, {"smoothing": 0.1}), *certain).gradient("logp")[0] == pytest.approx([0], abs=1e-15)


def test_a_constant_of_the_prompt_changes_nothing():
    plain = [answer(logp=[-1.0, -2.0], ref_logp=[-1.5, -2.5]), answer(logp=[-3.0, -1.0], ref_logp=[-0.5, -1.0])]
    moved = [shifted(a, ref_logp=0.7) for a in plain]
    assert on_pair(DPO, *moved).metrics["loss"] == pytest.approx(on_pair(DPO, *plain).metrics["loss"], abs=1e-14)


def test_swapping_the_pair_swaps_the_gradients_and_not_the_loss_of_a_coin_flip():
    coin = configure(DPO, {"smoothing": 0.5})
    assert on_pair(coin, REJECTED, CHOSEN).metrics["loss"] == pytest.approx(on_pair(coin).metrics["loss"], abs=1e-14)
    assert on_pair(DPO, REJECTED, CHOSEN).metrics["loss"] == pytest.approx(0.61634377 + 0.16, abs=1e-8)


def test_a_uniform_reference_is_no_reference():
    free = variant(DPO, loss=Term(pairwise(logistic, sum_logp, beta=0.1)))
    uniform = [answer(logp=a.values["logp"], ref_logp=[0.0] * a.length) for a in (CHOSEN, REJECTED)]
    assert on_pair(free).metrics["loss"] == pytest.approx(0.59813887, abs=1e-8)
    assert on_pair(DPO, *uniform).metrics["loss"] == pytest.approx(0.59813887, abs=1e-8)


def test_the_mean_is_over_pairs():
    three = step(DPO, CHOSEN, REJECTED, REJECTED, CHOSEN, CHOSEN, REJECTED, pairs=[(0, 1), (2, 3), (4, 5)])
    assert three.metrics["loss"] == pytest.approx(0.61634377 + 0.16 / 3, abs=1e-8)
    assert three.metrics["rewards/accuracies"] == pytest.approx(2 / 3)
