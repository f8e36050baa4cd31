"""Golden numbers of the methods that give credit to the turns of a conversation."""

from __future__ import annotations

from tests.harness.numbers import answer
from tests.methods.golden.row import batch


def conversation(rewards, turns, *, values=None, number=0, **more):
    """A conversation on policy: the reward after each token, and the number of the turn that it belongs to."""
    same = dict.fromkeys(("logp", "old_logp", "ref_logp", "rollout_logp"), [-1.0] * len(turns))
    critic = {} if values is None else {"old_value": values, "value": values}
    whole = {"reward": sum(rewards), "group": 0, "author": 0, "ended": True, "conversation": number}
    return answer(**{**same, **critic, **whole, **more, "dense_reward": rewards, "turn": turns})


# Rewards of the turns 1.2, -1, 4 and values of their beginnings 1, 2, 3; the values within turns are not read.
VALUED = conversation([0.2, 1.0, 0.0, -1.0, 4.0], [0, 0, 1, 1, 2], values=[1.0, 9.0, 2.0, -9.0, 3.0])
PARTS = [  # the same in two rows: a template wrote the second turn otherwise once the third was asked for
    conversation([0.2, 1.0, 0.0, -1.0], [0, 0, 1, 1], values=[1.0, 9.0, 2.0, -9.0]),
    conversation([4.0], [2], values=[3.0]),
]
A = (0.8875, -1.25, 1.0)  # γ = λ = 1/2: δ = 1.2, -1.5, 1
GROUP = [
    conversation([0.0, 1.0, 3.0], [0, 0, 1]),
    conversation([0.0, 0.0, 1.0], [0, 1, 1], number=1),
    conversation([2.0], [0], number=2),
]
HALF, R = {"turn_gamma": 0.5}, 0.5**0.5


def compared(first, second, third, **settings):
    """Advantages of the two, two and one turns of the group."""
    shown = [[first[0]] * 2 + [first[1]], [second[0]] + [second[1]] * 2, [third]]
    note = " ".join(str(x) for x in settings.values())
    return batch("online/turn_grpo", {**HALF, **settings}, GROUP, values={"advantage": shown}, within=1e-5, note=note)


def held(reward, *, number, train=True):
    """Two turns of log-ratios 0.5 and -0.25 to the reference, values 0.1 and 0.3."""
    one = conversation([0.0, reward], [0, 1], values=[0.1, 0.3], number=number, ref_logp=[-1.5, -0.75], author=number)
    return type(one)(one.values, train)


PLAYED = [0.125, 0.05]  # at τ = 1/5, λ = 1/2: rewards -0.1 and 0.3 + 0.05; A_2 = 0.05, A_1 = -0.1 + 0.3 - 0.1 + 0.025
LOST = [-0.175, -0.55]  # -0.3 + 0.05 - 0.3; -0.1 + 0.3 - 0.1 - 0.275

# fmt: off

TURNS = (
    batch("online/turn_ppo", {**HALF, "lam": 0.5, "kl_weight": 0.0}, [VALUED],
          values={"credit": [[A[0], A[0], A[1], A[1], A[2]]],
                  "returns": [[A[0] + 1, A[0] + 1, A[1] + 2, A[1] + 2, A[2] + 3]]}),
    batch("online/turn_ppo", {**HALF, "lam": 0.5, "kl_weight": 0.0}, PARTS,
          values={"credit": [[A[0], A[0], A[1], A[1]], [A[2]]]}, note="in two rows"),
    # First turns 1, 0, 2: standardised 0, -1, 1. Second ones 3, 1: ±1/√2, of which a first turn gets half.
    compared((R / 2, R), (-1 - R / 2, -R), 1.0),
    compared((0.5 / (1 + 2**0.5), 1 / (1 + 2**0.5)),
             (-0.5 - 0.5 / (1 + 2**0.5), -1 / (1 + 2**0.5)), 0.5, eps=1.0),
    compared((0.5, 1.0), (-(1.5**0.5) - 0.5, -1.0), 1.5**0.5, ddof=0),
    # Returns of first turns 5/2, 1/2, 2: mean 5/3, variance 13/12.
    compared((5 / 6 / (13 / 12)**0.5, R), (-7 / 6 / (13 / 12)**0.5, -R), 1 / 3 / (13 / 12)**0.5, standardise="returns"),
    # All five turns 1, 3, 0, 1, 2: mean 7/5, variance 13/10.
    compared((0.4 / 1.3**0.5, 1.6 / 1.3**0.5), (-1.6 / 1.3**0.5, -0.4 / 1.3**0.5), 0.6 / 1.3**0.5, among="group"),
    batch("online/mtpo", {"tau": 0.2, "lam": 0.5}, [held(0.8, number=0), held(0.2, number=1)],
          values={"advantage": [PLAYED, LOST], "returns": [[0.225, 0.35], [-0.075, -0.25]]}, loss=None,
          metrics={"loss/policy": (sum(PLAYED) + sum(LOST)) / 2},
          logp=[[-a / 2 for a in PLAYED], [-a / 2 for a in LOST]]),
    batch("online/mtpo", {"tau": 0.2, "lam": 1.0, "turn_gamma": 0.5}, [held(0.8, number=0), held(0.2, number=1)],
          values={"advantage": [[-0.2 + 0.175, 0.05], None]}),
    batch("online/mtpo_mixture", {"tau": 0.2, "lam": 0.5}, [held(0.8, number=0), held(0.2, number=1, train=False)],
          values={"advantage": [PLAYED, [0.0, 0.0]]}, logp=[[-a for a in PLAYED], [0.0, 0.0]]),
)

# fmt: on
