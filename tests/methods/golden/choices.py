"""Golden numbers of policies over lists of actions."""

from __future__ import annotations

import math

from tests.harness.numbers import answer
from tests.methods.golden.row import batch


def decision(number, chosen, *, old=None, reward=0.0, value=0.0, duration=1.0, conversation=0, group=None):
    """The actions `go` (log-prob -1) and `pick it up` (-0.6, -0.6, -0.6) behind one prompt, of which one was taken."""
    rows = []
    for place, (logp, words) in enumerate((([-1.0], 1), ([-0.6] * 3, 3))):
        numbers = {"logp": logp, "old_logp": logp if old is None else old[place]}
        critic = dict.fromkeys(("value", "old_value"), [value, 9.0, -9.0][: len(logp)])  # only the first is read
        told = {"conversation": conversation, "moment": number, "duration": duration, "reward": reward}
        rows.append(
            answer(place == chosen, **numbers, **critic, **told, group=number if group is None else group, words=words)
        )
    return rows


def softmax(*scores):
    return [math.exp(s) / sum(map(math.exp, scores)) for s in scores]


# Two decisions of one episode, the later one first. γ = λ = 1/2, and the first action takes two steps.
EPISODE = [*decision(1, 1, reward=1.0, value=0.25), *decision(0, 0, value=0.5, duration=2.0)]
SECOND = 1 - 0.25
FIRST = 0.25 * 0.25 - 0.5 + 0.25 * 0.5 * SECOND
SHORT = {"gamma": 0.5, "lam": 0.5}
GO, PICK = softmax(-1.0, -1.8)  # 0.690, 0.310
GO_3, PICK_3 = softmax(-1.0, -0.6)  # 0.401, 0.599
H = -(GO * math.log(GO) + PICK * math.log(PICK))
DOWN, NEAR, SURE, MORE = ([[-1.0], [x] * 3] for x in (-1.0, -0.62, -3.0, -0.1))  # of `pick it up`, before
LOST = PICK / softmax(-1.0, -0.3)[1]  # 0.464
RATIO = PICK / softmax(-1.0, -1.86)[1]  # 1.043
NEW = math.log(PICK / softmax(-1.0, -3.0)[1])  # log ρ of `pick it up`


def whitened(credit, each=(2.75, 1.0, 1.6875, 3.0)):
    mean = sum(each) / 4
    spread = math.sqrt(sum((x - mean) ** 2 for x in each) / 4)
    return 0 if credit is None else (credit - mean) / (spread + 0.5)


def gradients(pick, share=1.0):
    """d loss / d log-prob, where whitened advantages are 1 (the later decision) and -1."""
    go = 1 - pick
    later, first = 0.5 * (1 - pick), 0.5 * (1 - go)
    return [[later], [-later * share] * 3, [first], [-first * share] * 3]


# fmt: off
CHOICES = (
    batch("online/glam", {**SHORT, "entropy.weight": 0, "value.weight": 0}, EPISODE, within=1e-6,
          values={"choice_credit": [0, SECOND, FIRST, 0],
                  "old_choice_logp": [math.log(p) for p in (GO, PICK, GO, PICK)],
                  "choice_advantage": [0, 1.0, -1.0, 0]},
          metrics={"loss": 0.0, "kl": 0.0}, gradients={"logp": gradients(PICK)}),
    batch("online/glam", {**SHORT, "policy.weight": 0, "entropy.weight": 0, "value.weight": 1}, EPISODE, within=1e-6,
          values={"choice_return": [0, 1.0, FIRST + 0.5, 0]}, metrics={"loss": (SECOND**2 + FIRST**2) / 4},
          gradients={"value": [[0], [-SECOND / 2, 0, 0], [-FIRST / 2], [0, 0, 0]]}),
    batch("online/glam", {"entropy.weight": 1, "policy.weight": 0, "value.weight": 0}, EPISODE, within=1e-6,
          metrics={"loss": -H}),
    batch("online/glam", {**SHORT, "entropy.weight": 0, "value.weight": 0}, within=1e-6, note="clipped",
          answers=[*decision(1, 1, reward=1.0, value=0.25, old=DOWN), *decision(0, 0, value=0.5, duration=2.0)],
          metrics={"loss": (-1.2 + 1) / 2, "kl": (math.exp(NEW) - 1 - NEW) / 2},
          gradients={"logp": [[0], [0, 0, 0], *gradients(PICK)[2:]]}),
    batch("online/glam", {**SHORT, "entropy.weight": 0, "value.weight": 0}, within=1e-6, note="near, and clipped below",
          answers=[*decision(1, 1, reward=1.0, value=0.25, old=NEAR),
                   *decision(0, 0, value=0.5, duration=2.0, old=SURE)],
          metrics={"loss": (-RATIO + 0.8) / 2},
          gradients={"logp": [[RATIO * x for x in own] for own in gradients(PICK)[:2]] + [[0], [0, 0, 0]]}),
    batch("online/glam", {**SHORT, "entropy.weight": 0, "value.weight": 0}, within=1e-6, note="a good one got rarer",
          answers=[*decision(1, 1, reward=1.0, value=0.25, old=MORE), *decision(0, 0, value=0.5, duration=2.0)],
          metrics={"loss": (-LOST + 1) / 2}),
    batch("online/glam", {**SHORT, "eps": 0.5, "entropy.weight": 0, "value.weight": 0}, within=1e-6,
          answers=[row for n, conversation in ((1, 4), (0, 9), (0, 4), (2, 4))
                   for row in decision(n, 0, reward=n + 1.0, conversation=conversation, group=10 * conversation + n)],
          values={"choice_credit": [2.75, 0, 1.0, 0, 1 + 0.25 * 2.75, 0, 3.0, 0],
                  "choice_advantage": [whitened(x) for x in (2.75, None, 1.0, None, 1.6875, None, 3.0, None)]},
          metrics={}),
    batch("online/twosome", {**SHORT, "entropy.weight": 0, "value.weight": 0}, EPISODE, within=1e-6,
          values={"old_choice_logp": [math.log(p) for p in (GO_3, PICK_3, GO_3, PICK_3)]},
          metrics={"loss": 0.0}, gradients={"logp": gradients(PICK_3, 1 / 3)}),
    batch("online/twosome", {"normalise": "token"}, EPISODE, within=1e-6,
          values={"old_choice_logp": [math.log(p) for p in (GO_3, PICK_3, GO_3, PICK_3)]}),
    batch("online/twosome", {"normalise": "sum"}, EPISODE, within=1e-6,
          values={"old_choice_logp": [math.log(p) for p in (GO, PICK, GO, PICK)]}),
)
# fmt: on
