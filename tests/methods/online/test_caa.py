"""CAA: answers count by how much training has changed their reward."""

import pytest

from posttrain.catalogue.index import load
from tests.harness.numbers import answer, step

pytestmark = pytest.mark.paper("xia20247qb")

PPO, CAA = load("online/ppo"), load("online/caa")
SAME = {n: [-1.0] * 2 for n in ("logp", "old_logp", "ref_logp", "rollout_logp")} | {
    n: [0.0] * 2 for n in ("value", "old_value")
}


def answers(rewards, initial, scale=1.0, shift=0.0):
    made = [answer(reward=scale * r + shift, group=0, author=0, **SAME) for r in rewards]
    return [*made, *(answer(False, reward=scale * r + shift, group=0, author=1, **SAME) for r in initial)]


def weights(*given, **more):
    caa, ppo = step(CAA, *answers(*given, **more)), step(PPO, *answers(*given, **more))
    return [a[0] / b[0] for a, b in zip(caa.value("advantage"), ppo.value("advantage"), strict=True) if b[0]]


def test_the_weight_is_the_share_of_the_largest_change():
    assert weights([1.0, 2.0, 5.0], [0.0]) == pytest.approx([0.0, 0.25, 1.0])


def test_a_change_for_the_worse_counts_as_much():
    assert weights([1.0, -2.0, 3.0], [0.0]) == pytest.approx([0.0, 0.5, 1.0])


@pytest.mark.parametrize(("scale", "shift"), [(10.0, 0.0), (1.0, -7.0), (-2.0, 3.0)])
def test_scale_shift_and_sign_of_the_reward_do_not_matter(scale, shift):
    assert weights([1.0, 2.0, 5.0], [0.0], scale=scale, shift=shift) == pytest.approx([0.0, 0.25, 1.0])


def test_what_the_prompt_adds_to_every_answer_counts_for_nothing():
    """A planted bias: the reward model likes one of two prompts. No weight changes, though the rewards do."""

    def both(bias):
        second = [
            answer(a.train, **{**a.values, "group": 1, "reward": a.values["reward"] + bias})
            for a in answers([2.0], [1.0])
        ]
        caa, ppo = (step(m, *answers([0.0, 5.0], [0.0]), *second) for m in (CAA, PPO))
        pairs = zip(caa.value("advantage"), ppo.value("advantage"), strict=True)
        return [a[0] / b[0] for a, b in pairs if b[0]], ppo.value("advantage")

    (fair, plain), (biased, moved) = both(0.0), both(30.0)
    assert fair == pytest.approx([0.0, 1.0, 0.2])
    assert biased == pytest.approx(fair)
    assert abs(moved[3][0] - plain[3][0]) > 0.5


@pytest.mark.parametrize("rewards", [[1.0], [1.0, -1.0]])
def test_where_all_changes_are_equal_it_is_ppo(rewards):
    caa, ppo = (step(m, *answers(rewards, [0.0])) for m in (CAA, PPO))
    assert caa.value("advantage") == ppo.value("advantage")
    assert caa.metrics == ppo.metrics
