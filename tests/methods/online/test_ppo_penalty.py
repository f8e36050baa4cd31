from posttrain.catalogue.index import load
from posttrain.core.method import variant
from tests.harness.numbers import answer, step

PENALTY, PPO = load("online/ppo_penalty"), load("online/ppo")


def moved(kl, method=PENALTY, **states):
    """One token whose log-prob fell by `kl` since the batch was sampled; it earned more than another."""
    same = {"ref_logp": [-1.0], "rollout_logp": [-1.0], "value": [0.0], "old_value": [0.0]}
    rows = [answer(logp=[-1.0 - kl], old_logp=[-1.0], reward=r, **same) for r in (1.0, 0.0)]
    return step(variant(method, passes=1), *rows, states=states)


def test_before_the_policy_has_moved_it_is_ppo():
    mine, theirs = moved(0.0), moved(0.0, PPO)
    assert mine.metrics["loss/distance"] == 0
    assert mine.gradient("logp") == theirs.gradient("logp")


def test_nothing_is_clipped():
    up = moved(-0.5)  # the ratio is 1.65
    assert up.gradient("logp")[0][0] != 0
    assert moved(-0.5, PPO).gradient("logp")[0] == [0]
