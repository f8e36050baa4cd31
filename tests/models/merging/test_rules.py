"""The rules of merging: golden numbers, identities, and what must not matter."""

from __future__ import annotations

import math

import pytest
import torch
from torch import tensor

from posttrain.errors import ConfigError
from posttrain.models.merging.merge import names, rule_called

FIRST = tensor([1.0, -4.0, 0.5, 2.0], dtype=torch.float64)
SECOND = tensor([3.0, 2.0, -0.5, 0.0], dtype=torch.float64)
WHOLE = {"ties": {"density": 1.0}, "dare": {"density": 1.0}, "dare_ties": {"density": 1.0}}  # nothing is dropped


def merged(name, vectors, weights, **settings):
    return rule_called(name)(vectors, weights, **settings)


GOLDEN = [
    ("linear", (1.0, 3.0), {}, [2.5, 0.5, -0.25, 0.5]),
    ("task_arithmetic", (1.0, -2.0), {}, [-5.0, -8.0, 1.5, 2.0]),
    ("ema", (1.0, 1.0), {"decay": 0.75}, [1.5, -2.5, 0.25, 1.5]),
    ("ema", (1.0, 2.0), {"decay": 0.5}, [2.5, 0.5, -0.25, 0.5]),  # the second counts twice: 1/4, 3/4
    # trimmed to half: (0, -4, 0, 2) and (3, 2, 0, 0); sums 3, -2, 0, 2; the 2 of the second disagrees
    ("ties", (1.0, 1.0), {"density": 0.5}, [3.0, -4.0, 0.0, 2.0]),
    # whole: sums 4, -2, 0, 2, and 0 counts as positive; where both agree the mean
    ("ties", (1.0, 1.0), {"density": 1.0}, [2.0, -4.0, 0.5, 2.0]),
    # weights 1 and 3: sums 10, 2, -1, 2; the mean of those that agree, weighted
    ("ties", (1.0, 3.0), {"density": 1.0}, [2.5, 2.0, -0.5, 2.0]),
]


@pytest.mark.parametrize(("name", "weights", "settings", "expected"), GOLDEN)
def test_golden(name, weights, settings, expected):
    found = merged(name, [FIRST, SECOND], weights, **settings)
    torch.testing.assert_close(found, tensor(expected, dtype=torch.float64))


@pytest.mark.paper("000:[14]")
def test_slerp_golden():
    """Perpendicular vectors half way: both sines are 1/√2."""
    u, v = tensor([1.0, 0.0]), tensor([0.0, 2.0])
    torch.testing.assert_close(merged("slerp", [u, v], (1.0, 1.0)), tensor([0.5**0.5, 2 * 0.5**0.5]))
    third = merged("slerp", [u, v], (2.0, 1.0))  # a third of the way: 60 and 30 degrees
    torch.testing.assert_close(third, tensor([math.sin(math.pi / 3), 2 * math.sin(math.pi / 6)]))


@pytest.mark.paper("000:[14]")
def test_slerp_keeps_the_length_that_the_mean_loses():
    vectors = [tensor([1.0, 0.0, 0.0]), tensor([0.0, 1.0, 0.0]), tensor([0.0, 0.0, 1.0])]
    assert merged("slerp", vectors, (1.0, 1.0, 1.0)).norm() == pytest.approx(1.0)
    assert merged("linear", vectors[:2], (1.0, 1.0)).norm() == pytest.approx(0.5**0.5)


def test_slerp_between_vectors_on_one_line_is_linear():
    u = tensor([1.0, 2.0])
    torch.testing.assert_close(merged("slerp", [u, 3 * u], (1.0, 3.0)), 2.5 * u)
    torch.testing.assert_close(merged("slerp", [u, -u], (1.0, 3.0)), -0.5 * u)
    assert torch.isfinite(merged("slerp", [0 * u, 0 * u], (1.0, 1.0))).all()


@pytest.mark.parametrize("name", names())
def test_one_model_and_equal_models_are_themselves(name):
    settings = WHOLE.get(name, {})
    torch.testing.assert_close(merged(name, [FIRST], [1.0], **settings), FIRST)
    weights = [0.25, 0.75]  # which add up to 1, as task arithmetic needs it
    torch.testing.assert_close(merged(name, [FIRST, FIRST.clone()], weights, **settings), FIRST)


@pytest.mark.parametrize("name", [n for n in names() if n not in ("ema", "dare", "dare_ties")])
def test_the_order_of_two_models_does_not_matter(name):
    one = merged(name, [FIRST, SECOND], (0.3, 0.7), **WHOLE.get(name, {}))
    torch.testing.assert_close(one, merged(name, [SECOND, FIRST], (0.7, 0.3), **WHOLE.get(name, {})))


@pytest.mark.parametrize("name", ["linear", "slerp", "task_arithmetic"])
def test_a_weight_of_0_leaves_a_model_out(name):
    torch.testing.assert_close(merged(name, [FIRST, SECOND], (1.0, 0.0)), FIRST)
    torch.testing.assert_close(merged(name, [FIRST, SECOND], (1e-12, 1.0)), SECOND)


def test_dare_is_unbiased_and_depends_on_its_seed_alone():
    found = torch.stack([merged("dare", [FIRST], [1.0], density=0.25, seed=s) for s in range(2000)])
    kept = found != 0
    torch.testing.assert_close(found[kept], (4 * FIRST).expand_as(found)[kept])
    assert kept.double().mean(0).sub(0.25).abs().max() < 0.04  # 4 standard deviations
    assert torch.equal(found[7], merged("dare", [FIRST], [1.0], density=0.25, seed=7))
    masks = [merged("dare", [torch.ones(64)] * 2, w, density=0.5) != 0 for w in ((1.0, 0.0), (0.0, 1.0))]
    assert not torch.equal(*masks)  # each model has masks of its own


def test_dare_ties_elects_among_what_was_kept():
    one, other = torch.full((400,), 3.0), torch.full((400,), -1.0)
    found = merged("dare_ties", [one, other], (1.0, 1.0), density=0.5)
    assert set(found.tolist()) == {0.0, 6.0, -2.0}  # both kept: 6 wins over -2


def test_weights_that_mean_nothing_are_refused():
    with pytest.raises(ConfigError, match=r"the weights 1, -1 add up to 0"):
        merged("linear", [FIRST, SECOND], (1.0, -1.0))
    for weights in ((1.0, -0.5), (0.0, 0.0)):
        with pytest.raises(ConfigError, match="shares of an arc"):
            merged("slerp", [FIRST, SECOND], weights)
