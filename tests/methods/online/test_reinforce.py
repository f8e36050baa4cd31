import pytest

from posttrain.catalogue.index import load
from posttrain.core.method import variant
from tests.harness.numbers import step
from tests.methods.online.group import flat, group, per_answer

pytestmark = pytest.mark.paper("001-text:REINFORCE")

REINFORCE = load("online/reinforce")


def test_golden_two_batches_of_the_baseline():
    """(0.9 0.1 r1 + 0.1 r2) / 0.19: the weights of a moving average that does not start from zero."""
    first = step(REINFORCE, *group([1.0], [1]))
    second = step(REINFORCE, *group([0.0], [1]), states=first.states)
    assert second.value("baseline") == pytest.approx(1)
    assert second.states["baseline"]["mean"] == pytest.approx(0.09 / 0.19)


def test_a_constant_added_to_rewards_and_baseline_changes_nothing():
    moved = step(REINFORCE, *group([11.0, 10.0], [1, 2]), states={"baseline": {"mean": 10.5, "weight": 1.0}})
    plain = step(REINFORCE, *group([1.0, 0.0], [1, 2]), states={"baseline": {"mean": 0.5, "weight": 1.0}})
    assert flat(moved.gradient("logp")) == pytest.approx(flat(plain.gradient("logp")), abs=1e-14)


def test_on_policy_ppo_with_a_flat_critic_is_reinforce():
    """Without whitening, lambda = 1 and V = b: the clipped surrogate has the gradient of -A log pi."""

    from posttrain.core.method import SEQUENCE_SUM, Term
    from posttrain.core.parts import part
    from posttrain.formulas.credit.advantages import gae

    ppo = load("online/ppo")
    bare = variant(
        ppo,
        passes=1,
        derived={"token_reward": ppo.derived["token_reward"], "advantage": part(gae, lam=1.0)},
        loss={"policy": Term(ppo.loss["policy"].part, reduce=SEQUENCE_SUM)},
        metrics={},
    )
    mine = step(bare, *group(old_value=0.25)).gradient("logp")
    theirs = step(REINFORCE, *group(), states={"baseline": {"mean": 0.25, "weight": 1.0}}).gradient("logp")
    assert per_answer(mine) == pytest.approx(per_answer(theirs), abs=1e-14)
