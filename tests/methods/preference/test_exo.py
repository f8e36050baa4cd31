import math

import pytest
import torch

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from posttrain.formulas.losses.pair_targets import reverse_kl
from tests.methods.preference.pair import flipped, on_pair

pytestmark = pytest.mark.paper("000:[18]")

EXO = load("preference/exo")


def test_it_rests_where_the_model_agrees_with_the_label():
    assert on_pair(configure(EXO, {"smoothing": 1 / (1 + math.exp(0.16))})).metrics["loss"] == pytest.approx(0)


def test_it_is_the_other_direction_of_smoothed_dpo():
    """KL(q || p) + KL(p || q) = (p - q)(logit p - logit q)."""
    share = 0.2
    p, q = 1 - share, 1 / (1 + math.exp(-0.16))
    cdpo = on_pair(configure(load("preference/cdpo"), {"smoothing": share})).metrics["loss"]
    forward = cdpo + p * math.log(p) + share * math.log(share)
    both = (p - q) * (math.log(p / share) - 0.16)
    assert on_pair(configure(EXO, {"smoothing": share})).metrics["loss"] == pytest.approx(both - forward, abs=1e-14)


def test_a_label_that_says_nothing_does_not_see_the_order():
    coin = configure(EXO, {"smoothing": 0.5})
    assert flipped(coin) == pytest.approx(on_pair(coin).metrics["loss"], abs=1e-15)


def test_it_is_a_kl_and_never_negative():
    z = torch.linspace(-30, 30, 101)
    assert (reverse_kl(z, torch.zeros(101), beta=1.0, smoothing=0.1) >= 0).all()
