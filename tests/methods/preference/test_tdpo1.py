import math

import pytest

from posttrain.catalogue.index import load
from tests.methods.preference.pair import CHOSEN, REJECTED, also, on_pair

pytestmark = pytest.mark.paper("000:[17]")

TDPO1 = load("preference/tdpo1")


def logits_at(kl):
    """Logits of the policy whose forward KL from a uniform reference over two tokens is `kl`."""
    low, high = 0.5, 1 - 1e-12
    for _ in range(100):
        p = (low + high) / 2
        low, high = (p, high) if -0.5 * math.log(4 * p * (1 - p)) < kl else (low, p)
    return [math.log(p), math.log(1 - p)]


def along(a, kl):
    """The answer, with a forward KL of `kl` in sum."""
    n = a.length
    return also(a, logits=[logits_at(kl / n)] * n, ref_logits=[[0.0, 0.0]] * n)


def on(method, chosen=0.3, rejected=0.7):
    return on_pair(method, along(CHOSEN, chosen), along(REJECTED, rejected))


def test_golden():
    one = on(TDPO1)
    assert one.metrics["loss"] == pytest.approx(0.63494610, abs=1e-8)
    wrong = 1 / (1 + math.exp(0.1 * 1.2))
    assert one.gradient("logp")[0] == pytest.approx([-0.1 * wrong] * 5, rel=1e-6)


def test_golden_gradient_of_the_divergence():
    """Of the preferred answer KL(π_ref || π) is raised, of the other lowered: d KL / d logit = π - π_ref."""
    one = on(TDPO1)
    wrong = 0.1 / (1 + math.exp(0.1 * 1.2))
    table = one.gradients[0]["policy.tables.logits"]
    far, near = math.exp(logits_at(0.3 / 5)[0]) - 0.5, math.exp(logits_at(0.7 / 4)[0]) - 0.5
    assert table[1].tolist() == pytest.approx([-wrong * far, wrong * far], rel=1e-6)
    assert table[7].tolist() == pytest.approx([wrong * near, -wrong * near], rel=1e-6)


@pytest.mark.parametrize("kl", [0.0, 0.5])
def test_where_the_divergences_are_equal_it_is_dpo(kl):
    dpo = on_pair(load("preference/dpo"))
    assert on(TDPO1, kl, kl).metrics["loss"] == pytest.approx(dpo.metrics["loss"], abs=1e-9)


def test_a_constant_on_all_logits_changes_nothing():
    moved = along(CHOSEN, 0.3)
    moved.values["logits"][:] = [[x + 3 for x in distribution] for distribution in moved.values["logits"]]
    assert on_pair(TDPO1, moved, along(REJECTED, 0.7)).metrics["loss"] == pytest.approx(on(TDPO1).metrics["loss"])
