import math

import pytest

from posttrain.catalogue.index import load
from tests.harness.numbers import answer
from tests.methods.preference.pair import CHOSEN, REJECTED, also, on_pair

pytestmark = pytest.mark.paper("zhou202469n")

WPO = load("preference/wpo")
DPO_LOSS = 0.61634377


def on(chosen, rejected):
    """The same distribution over the vocabulary at every token of an answer."""
    size = max(len(chosen), len(rejected))
    distributions = [
        [math.log(p) for p in distribution] + [-1e3] * (size - len(distribution)) for distribution in (chosen, rejected)
    ]
    return on_pair(WPO, also(CHOSEN, logits=[distributions[0]] * 5), also(REJECTED, logits=[distributions[1]] * 4))


def test_golden():
    """Mean log-probs -2 and -3; the expected probability of a token that the policy draws is .005 and .125."""
    unlikely = [0.005] * 200
    w = math.exp(-2) / 0.5 * math.exp(-3) / 0.125
    one = on([0.5, 0.5], [0.125] * 8)
    assert one.metrics["loss"] == pytest.approx(w * DPO_LOSS, rel=1e-7)
    assert one.gradient("logp")[0] == pytest.approx([-w * 0.1 * 0.4600850] * 5, rel=1e-6)
    assert one.gradient("logp")[1] == pytest.approx([w * 0.1 * 0.4600850] * 4, rel=1e-6)
    assert on(unlikely, [0.125] * 8).metrics["loss"] == pytest.approx(DPO_LOSS, abs=1e-8)  # cut at 1


def test_golden_of_a_law_that_is_not_uniform():
    w = math.exp(-2) / (0.81 + 0.01) * math.exp(-3) / 0.5
    assert on([0.9, 0.1], [0.5, 0.5]).metrics["loss"] == pytest.approx(w * DPO_LOSS, rel=1e-7)


def test_no_gradient_flows_through_the_weight():
    one = on([0.5, 0.5], [0.125] * 8)
    table = one.gradients[0]["policy.tables.logits"]
    assert len(table)
    assert (table.nan_to_num() == 0).all()


def test_a_token_of_a_uniform_law_weighs_exactly_one():
    """log-probs of -log V at every token: the policy's own draw."""
    own = [answer(logp=[-math.log(5)] * n, ref_logp=[-1.0] * n, logits=[[2.0] * 5] * n) for n in (3, 2)]
    assert on_pair(WPO, *own).metrics == pytest.approx(on_pair(load("preference/dpo"), *own).metrics)


def test_a_less_likely_answer_counts_less():
    """Every token of both less likely by 1 under policy and reference: the weight falls by e^-2."""
    plain = also(CHOSEN, logits=[[0.0, 0.0]] * 5), also(REJECTED, logits=[[0.0, 0.0]] * 4)
    less = [a.values | {n: [x - 1 for x in a.values[n]] for n in ("logp", "ref_logp")} for a in plain]
    one = on_pair(WPO, *(answer(**v) for v in less)).metrics["loss"]
    assert one == pytest.approx(on_pair(WPO, *plain).metrics["loss"] * math.exp(-2))
