"""The heads of a method as settings."""

import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.explain import explain
from posttrain.catalogue.index import load
from posttrain.core.parts import PartError

ATTRIBUTES, QUANTILES, GAUSSIAN = (load(f"reward/{name}") for name in ("attributes", "quantiles", "gaussian"))


def head(method, **changes):
    source = configure(method, {f"scores.{key}": value for key, value in changes.items()}).fields["scores"].source
    return source.size, source.weights


def test_the_mix_says_how_many_attributes_there_are():
    assert head(ATTRIBUTES, mix=[0.5, 2]) == (2, (0.5, 2.0))
    assert head(GAUSSIAN, mix=[0.5, 2]) == (4, (0.5, 0.0, 2.0, 0.0))
    assert head(QUANTILES, mix=[1.0, -1.0], each=[0.75, 0.25, 0]) == (6, (0.75, 0.25, 0.0, -0.75, -0.25, 0.0))


def test_a_size_shares_the_weight_of_an_attribute_among_its_numbers():
    assert head(QUANTILES, mix=[1.0, 2.0], size=4) == (4, (0.5, 0.5, 1.0, 1.0))
    with pytest.raises(PartError, match="scores.size is 7, which is no multiple of the 5 attributes of the mix"):
        head(QUANTILES, size=7)


@pytest.mark.parametrize("value", [0.5, [], ["a"], [True]])
def test_weights_are_numbers(value):
    with pytest.raises(PartError, match=r"method.scores.mix must be a list of numbers"):
        head(ATTRIBUTES, mix=value)


def test_a_wrong_name_is_told_the_right_one_and_explain_lists_it():
    with pytest.raises(PartError, match=r"reads no setting 'scores.mixx'.*scores.mix"):
        head(ATTRIBUTES, mixx=[1.0])
    with pytest.raises(PartError, match="reads no setting 'nothing.mix'"):
        configure(ATTRIBUTES, {"nothing.mix": [1.0]})
    assert "scores.each = [0.111] x 9 " in explain("", QUANTILES)
