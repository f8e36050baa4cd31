import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from tests.harness.numbers import answer, step
from tests.methods.preference.pair import CHOSEN, REJECTED

pytestmark = pytest.mark.paper("000:[31]")

XPO = configure(load("online/xpo"), {"exploration.weight": 0.01})


def by(author, a, reward):
    return answer(**a.values, group=0, author=author, rollout_logp=[0.0] * a.length, reward=reward)


def test_without_exploration_it_is_online_dpo():
    rows = by(0, CHOSEN, 1.0), by(1, REJECTED, 0.0)
    plain = step(configure(XPO, {"exploration.weight": 0.0}), *rows)
    online = step(load("online/online_dpo"), *rows)
    assert plain.metrics["loss"] == online.metrics["loss"]
    assert plain.gradient("logp") == online.gradient("logp")


def test_the_bonus_lowers_what_the_reference_says_wherever_it_stands():
    for first, second in ((1.0, 0.0), (0.0, 1.0)):
        with_, without = (
            step(m, by(0, CHOSEN, first), by(1, REJECTED, second)).gradient("logp")
            for m in (XPO, load("online/online_dpo"))
        )
        assert with_[0] == pytest.approx(without[0])
        assert with_[1][0] - without[1][0] == pytest.approx(0.01)


def test_one_answer_is_the_policys_and_the_other_the_references():
    explorer, exploiter = XPO.streams["main"].sampling
    assert (explorer.mix, exploiter.mix) == ((("policy", 1.0),), (("reference", 1.0),))
