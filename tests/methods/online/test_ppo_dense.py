import pytest

from posttrain.catalogue.index import load
from tests.harness.numbers import answer, step

pytestmark = pytest.mark.paper("000:[67]", "lai2024ifx", "cao2024lh3", "cao2024jcn")

PPO, DENSE = load("online/ppo"), load("online/ppo_dense")
SAME = {n: [-1.0] * 3 for n in ("logp", "old_logp", "rollout_logp")} | {"ref_logp": [-1.3, -0.9, -1.1]}
CRITIC = {"old_value": [0.5, 0.4, 0.3], "value": [0.5, 0.4, 0.3]}


def credit(method, **values):
    return step(method, answer(**SAME, **CRITIC, **values)).value("credit")


def test_one_reward_at_the_end_is_ppo():
    """Also an empty critique, or a critic of weight zero: nothing but the last token has a reward then."""
    assert credit(DENSE, dense_reward=[0.0, 0.0, 2.0]) == credit(PPO, reward=2.0)


def test_the_place_of_a_reward_moves_credit_but_not_their_sum_from_the_start():
    early, late = credit(DENSE, dense_reward=[2.0, 0.0, 0.0]), credit(DENSE, dense_reward=[0.0, 0.0, 2.0])
    assert early[0][0] > late[0][0]
    assert early[0][1] < late[0][1]
    from posttrain.catalogue.configure import configure

    whole = configure(DENSE, {"lam": 1.0})
    first = [credit(whole, dense_reward=r)[0][0] for r in ([2.0, 0.0, 0.0], [0.0, 0.0, 2.0], [0.5, 1.0, 0.5])]
    assert first == pytest.approx([first[0]] * 3)


def test_a_reward_reaches_no_later_token():
    assert credit(DENSE, dense_reward=[2.0, 0.0, 0.0])[0][1:] == credit(DENSE, dense_reward=[-9.0, 0.0, 0.0])[0][1:]
