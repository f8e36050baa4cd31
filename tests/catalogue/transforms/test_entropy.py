"""A bonus for entropy in any method."""

import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from posttrain.core.parts import PartError
from posttrain.core.plan import plan
from tests.harness.numbers import answer, step

GRPO, DPO = load("online/grpo"), load("preference/dpo")


def unsure(nats, *entropies):
    same = {n: [-nats] * len(entropies) for n in ("logp", "old_logp", "ref_logp", "rollout_logp")}
    return answer(**same, entropy=list(entropies), reward=1.0, group=0, author=0, ended=True)


def test_golden_bonus():
    """One mean over all tokens, also where the other terms average answers."""
    one = step(configure(GRPO, {"entropy": "bonus", "entropy.weight": 0.5}), unsure(1.0, 0.6, 0.9), unsure(1.0, 0.3))
    assert one.metrics["loss"] == pytest.approx(-0.5 * 0.6)
    assert [g for row in one.gradient("entropy") for g in row] == pytest.approx([-0.5 / 3] * 3)


def test_golden_target():
    aimed = configure(GRPO, {"entropy": "target", "adaptive_entropy.target": 1.5, "start": 0.25})
    low, high = step(aimed, unsure(1.0, 0.8)), step(aimed, unsure(2.0, 0.8))
    assert low.metrics["loss"] == pytest.approx(-0.25 * 0.8)
    assert high.metrics["loss"] == 0
    assert [x.states["entropy_weight"]["weight"] for x in (low, high)] == pytest.approx([0.255, 0.245])


def test_it_is_the_bonus_of_skywork():
    skywork = load("online/skywork_or1")
    ours = configure(GRPO, {"entropy": "target"})
    assert ours.loss["entropy"] == skywork.loss["entropy"]
    assert ours.derived["entropy_weight"] == skywork.derived["entropy_weight"]


def test_records_have_a_bonus_and_no_target():
    assert "entropy" in plan(configure(DPO, {"entropy": "bonus"})).method.loss
    with pytest.raises(PartError, match="learns from records.*entropy: bonus"):
        configure(DPO, {"entropy": "target"})


@pytest.mark.parametrize(
    ("method", "kind", "said"),
    [
        (GRPO, "bonsu", "bonus, target, and the number is entropy.weight"),
        (GRPO, 0.01, "no kind 0.01.*entropy.weight"),
        (load("online/skywork_or1"), "bonus", "has a term 'entropy' already"),
    ],
)
def test_what_it_refuses(method, kind, said):
    with pytest.raises(PartError, match=said):
        configure(method, {"entropy": kind})
