import pytest

from posttrain.catalogue.index import load
from tests.harness.numbers import answer, step
from tests.methods.golden.critic_free import step_wise
from tests.methods.online.group import flat, group

PROCESS, GRPO = load("online/grpo_process"), load("online/grpo")
SOLUTIONS = [(0.0, 1.0, 0.0, 3.0), (-1.0, 0.0, 1.0), (0.5, 0.5)]


def advantages(*rewards):
    return step(PROCESS, *(step_wise(*r) for r in rewards)).value("advantage")


@pytest.mark.paper("002:DeepSeek-V2 / GRPO")
def test_with_one_step_at_the_end_of_each_answer_it_is_grpo():
    rewards = (1.0, -2.0, 0.5, 3.0)
    ends = [
        answer(**{**a.values, "dense_reward": [0.0] * (a.length - 1) + [r]})
        for a, r in zip(group(rewards), rewards, strict=True)
    ]
    assert step(PROCESS, *ends).value("advantage") == step(GRPO, *ends).value("advantage")


@pytest.mark.paper("002:DeepSeek-V2 / GRPO")
def test_a_step_is_credited_to_its_own_tokens_and_to_those_before():
    before = advantages(*SOLUTIONS)
    first = before[0][:2], before[0][2:]
    assert first[0][0] == first[0][1]
    assert first[1][0] == first[1][1]
    assert first[0][0] - first[1][0] == pytest.approx(standard(SOLUTIONS)(1.0))


def standard(solutions):
    steps = [r for rewards in solutions for r in rewards if r]
    mean = sum(steps) / len(steps)
    spread = (sum((r - mean) ** 2 for r in steps) / (len(steps) - 1)) ** 0.5
    return lambda r: (r - mean) / (spread + 1e-6)


def test_affine_rewards_of_the_steps_give_the_same_advantages():
    moved = [tuple(2 * r + 9 if r else 0.0 for r in rewards) for rewards in SOLUTIONS]
    assert flat(advantages(*moved)) == pytest.approx(flat(advantages(*SOLUTIONS)), abs=1e-5)


def test_steps_that_are_all_alike_teach_nothing():
    assert set(flat(advantages((0.0, 2.0), (2.0, 2.0)))) == {0}
