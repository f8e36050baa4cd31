"""Golden numbers of the methods on preferences.

Log-ratios of the pair are 1 (5 tokens) and -0.6 (4 tokens), so at β = 0.1 z = 0.16 and σ(z) = 0.53991488.
"""

from __future__ import annotations

import math
from math import exp, log

from tests.harness.numbers import answer
from tests.methods.golden.row import batch, pair, pairs
from tests.methods.preference.pair import CHOSEN, FRESH, REJECTED, THIRD, listed, shifted

DPO = 0.61634377  # -log σ(0.16)
WRONG = 0.46008512  # σ(-0.16)


def sigmoid(x: float) -> float:
    return 1 / (1 + exp(-x))


def nll(z: float) -> float:
    """-log σ(z)"""
    return math.log1p(exp(-z))


def softmax(xs: list[float]) -> list[float]:
    total = sum(exp(x) for x in xs)
    return [exp(x) / total for x in xs]


# fmt: off
# A row reads as a line of a paper's example.

# ---- one pair, the policy and the reference

ADA = 0.9434406  # the logit c whose entropy H(σ(c)) is log 2 - ρ, so that τ = margin / c
ADA_ROWS = [  # margin, loss, d loss / d margin
    (0.05, -0.011907, -sigmoid(-0.5)),
    (0.5, -0.140103, -sigmoid(-ADA)),
    (1.0, -0.280205, -sigmoid(-ADA)),
    (3.0, -0.840616, -sigmoid(-ADA)),
    (10.0, -2.331096, -sigmoid(-2)),
    (-1.0, sigmoid(ADA), -sigmoid(ADA)),
]
F_DPO = [  # loss, and u f''(u) at u = e^1 and e^-0.6, by which the gradients differ
    ("reverse_kl", 0.61634377, 1, 1),
    ("forward_kl", 0.62307640, exp(-1), exp(0.6)),
    ("jensen_shannon", 0.65759135, 1 / (1 + math.e), 1 / (1 + exp(-0.6))),
    ("alpha", 0.62157451, exp(-0.5), exp(0.3)),
]
F_DPO_SCORES = [
    ("reverse_kl", 1),
    ("forward_kl", 1 - exp(-1)),
    ("jensen_shannon", log(2 / (1 + exp(-1)))),
    ("alpha", 2 * (1 - exp(-0.5))),
]
GPO = [  # loss and slope at z = 0.16, loss at z = 2
    ("logistic", 0.61634377, -WRONG, nll(2)),
    ("hinge", 0.84, -1, 0.0),
    ("squared", 0.7056, -1.68, 1.0),
    ("exponential", 0.85214379, -0.85214379, exp(-2)),
    ("truncated_square", 0.7056, -1.68, 0.0),
    ("savage", 0.21167831, -2 * WRONG**2 * 0.53991488, sigmoid(-2) ** 2),
]
# z = 0.08, blended with a share of σ(1.6)
DISCOPOP_SLOPE = sigmoid(1.6) * sigmoid(-1.6) / 0.05 * (exp(-0.08) - nll(0.08)) - (
    sigmoid(-1.6) * sigmoid(-0.08) + sigmoid(1.6) * exp(-0.08)
)
FALLEN = shifted(CHOSEN, logp=-0.5)  # log-ratio 1 - 2.5
AT_THE_REFERENCE = answer(logp=[-1.0], ref_logp=[-2.0]), answer(logp=[-1.0], ref_logp=[-1.0])
DNO = sigmoid(0.5)  # how often the first of rewards 0.8 and 0.3 wins

ONE_PAIR = (
    pair("preference/dpo", loss=DPO, chosen=-0.1 * WRONG, rejected=0.1 * WRONG,
         metrics={"rewards/accuracies": 1, "log_ratio/margins": 1.6, "logps/chosen": -10.0, "logps/rejected": -12.0}),
    pair("preference/dpo", {"smoothing": 0.1}, loss=0.63234377),
    pair("preference/dpo", {"margin": 0.16}, loss=log(2), within=1e-12),
    *(pair("preference/ada_dpo", {"beta": margin / 1.6}, loss=loss, chosen=margin / 1.6 * slope, within=1e-6)
      for margin, loss, slope in ADA_ROWS),
    pair("preference/ama", loss=nll(0.18), within=1e-14, note="marked tokens: 1 + 0.5 against 0.9 - 1.2",
         columns={"relevance": ([0.9, 0.1, 0.8, 0.5, 0.2], [0.0, 0.6, 0.7, 0.5])},
         chosen=[-0.1 * sigmoid(-0.18), 0, -0.1 * sigmoid(-0.18), 0, 0],
         rejected=[0, 0.1 * sigmoid(-0.18), 0.1 * sigmoid(-0.18), 0]),
    pair("preference/ama", {"threshold": 0.85}, loss=nll(0.1), within=1e-14,
         columns={"relevance": ([0.9, 0.1, 0.8, 0.5, 0.2], [0.0, 0.6, 0.7, 0.5])}),
    # σ(0.1) + σ(-0.16)
    pair("preference/apo_down", loss=0.98506430, chosen=0.1 * (0.5249792 * 0.4750208 - 0.5399149 * 0.4600851),
         rejected=0.1 * 0.5399149 * 0.4600851),
    pair("preference/apo_zero", loss=0.96002531, chosen=-0.1 * 0.5249792 * 0.4750208,
         rejected=0.1 * 0.4850045 * 0.5149955),
    # Of the first batch the shift is its own mean, (1 - 0.6)/2; then 0.9 of it and 0.1 · 0.2.
    pair("preference/bco", loss=nll(0.08) + nll(0.08), note="first batch"),
    pair("preference/bco", loss=1.30799377, states={"shift": {"mean": -0.2 / 9}}, after={"shift": {"mean": 0.0}}),
    pair("preference/bco", loss=nll(-0.172) + nll(0.332), chosen=-0.1 * sigmoid(0.172), rejected=0.1 * sigmoid(-0.332),
         states={"shift": {"mean": 3.0}}, after={"shift": {"mean": 2.72}}),
    *(pair("preference/bfpo", {"tau": 0.1}, columns={"safe": (float(first), float(second))}, loss=loss,
           note=f"safe {first} {second}")
      for first, second, loss in [(1, 1, 11.56), (1, 0, 70.56), (0, 1, 134.56), (0, 0, 43.56)]),
    # The target is (1 - 0.8)/0.1.
    pair("preference/bfpo", {"tau": 0.1, "alpha": 0.8}, columns={"safe": (1.0, 1.0)}, loss=0.16, chosen=-0.8,
         rejected=0.8),
    pair("preference/cdpo", loss=0.63234377, chosen=-0.1 * (WRONG - 0.1)),
    # One token in two: 1 - 1/2 + 0.5/4 + 0 + 0.5/16 against -0.1 + 0.9/2 - 1.2/4 - 0.2/8.
    pair("preference/d2po", {"gamma": 0.5}, loss=nll(0.1 * (0.65625 - 0.025)), within=1e-14,
         chosen=[-0.1 * sigmoid(-0.1 * (0.65625 - 0.025)) * 0.5**t for t in range(5)],
         rejected=[0.1 * sigmoid(-0.1 * (0.65625 - 0.025)) * 0.5**t for t in range(4)]),
    pair("preference/discopop", loss=0.87790084, chosen=0.05 * DISCOPOP_SLOPE, rejected=-0.05 * DISCOPOP_SLOPE),
    *(pairs("preference/discopop", gaps=[gap], loss=loss, chosen=0.0, within=6e-6, note="figure 14 of the paper")
      for gap, loss in [(-2.3714, 0.785929), (1.44012, 0.87829)]),
    pair("preference/dno", columns={"reward": (0.8, 0.3)}, loss=DNO * DPO + (1 - DNO) * (DPO + 0.16),
         chosen=0.1 * (0.53991488 - DNO), rejected=-0.1 * (0.53991488 - DNO)),
    pair("preference/dpop", {"guard": 2.0}, (FALLEN, REJECTED), loss=nll(0.1 * (-1.5 + 0.6 - 2 * 1.5)),
         chosen=-0.3 * sigmoid(0.39), rejected=0.1 * sigmoid(0.39)),
    pair("preference/exo", loss=2.48873818, chosen=0.1 * 0.53991488 * WRONG * (0.16 - log(0.999 / 0.001)),
         rejected=-0.1 * 0.53991488 * WRONG * (0.16 - log(0.999 / 0.001))),
    *(pair("preference/f_dpo", {"divergence": divergence}, loss=loss, chosen=-0.1 * (1 - exp(-loss)) * first,
           rejected=0.1 * (1 - exp(-loss)) * second)
      for divergence, loss, first, second in F_DPO),
    # f'(1) = 0 for all four, so against an answer at the reference the other's score stands alone.
    *(pair("preference/f_dpo", {"divergence": divergence, "beta": 1.0}, AT_THE_REFERENCE, loss=nll(score), within=1e-12)
      for divergence, score in F_DPO_SCORES),
    *(pair("preference/gpo", {"shape": shape}, loss=loss, chosen=0.1 * slope, rejected=-0.1 * slope)
      for shape, loss, slope, _ in GPO),
    *(pair("preference/gpo", {"shape": shape, "beta": 2 / 1.6}, loss=loss)
      for shape, _, _, loss in GPO),
    # 2 (gap - 1/2τ) / |y|, with mean log-ratios of 0.2 and -0.15
    pair("preference/ipo", loss=21.6225, within=1e-10, chosen=-9.3 / 5, rejected=9.3 / 4),
    # Only the chosen answer has a fifth token: 1 - 1 + 0.5 + 0 + 0.5/4 against -0.6.
    pair("preference/ld_dpo", {"beyond": 0.25}, loss=nll(0.1225), within=1e-14,
         chosen=[*[-0.1 * sigmoid(-0.1225)] * 4, -0.025 * sigmoid(-0.1225)], rejected=0.1 * sigmoid(-0.1225)),
    pair("preference/ld_dpo", {"beyond": 0.25}, (REJECTED, CHOSEN), loss=nll(-0.1225), within=1e-14),
    pair("preference/nca", loss=nll(0.1) + 0.5 * nll(-0.1) + 0.5 * nll(0.06),
         chosen=0.1 * (-sigmoid(-0.1) + sigmoid(0.1) / 2), rejected=0.1 * sigmoid(-0.06) / 2),
    pair("preference/robust_dpo", loss=0.59634377, chosen=-0.1 * (0.9 * WRONG + 0.1 * 0.53991488) / 0.8,
         rejected=0.1 * (0.9 * WRONG + 0.1 * 0.53991488) / 0.8),
    # σ(a) - σ(b), and 2 (a - b), times β, where a is the gap of the log-ratios and b that of the rewards
    pair("preference/rpo", columns={"reward": (1.0, -1.0)}, loss=0.27008239, chosen=0.1 * (0.53991488 - 0.8807971)),
    pair("preference/rpo", {"distance": "forward"}, columns={"reward": (1.0, -1.0)}, loss=0.35714085),
    pair("preference/rpo", {"distance": "squared"}, columns={"reward": (1.0, -1.0)}, loss=3.3856,
         rejected=0.1 * 2 * 1.84),
    pair("preference/rpo", {"distance": "squared", "beta": 0.2}, columns={"reward": (1.0, -1.0)}, loss=1.68**2),
    *(pair("preference/rpo", {"distance": distance, "eta": 4.0}, columns={"reward": (0.25, -0.25)}, loss=loss)
      for distance, loss in [("backward", 0.27008239), ("forward", 0.35714085), ("squared", 3.3856)]),
    # The reference is 1 nat above the model before it on the chosen answer: z = 0.16 - 0.1 · 1, 1 - σ(0.06).
    pair("preference/spo",
         columns={"base_logp": ([x - 0.2 for x in CHOSEN.values["ref_logp"]], REJECTED.values["ref_logp"])},
         loss=0.66359711, chosen=-0.1 * 0.4850045, rejected=0.1 * 0.4850045),
    pair("preference/spo", {"weight": 0.2, "beta": 0.25},
         columns={"base_logp": ([x - 0.4 for x in CHOSEN.values["ref_logp"]], REJECTED.values["ref_logp"])},
         loss=0.69314718),
    pair("preference/sppo", loss=35.36, chosen=-8.0, rejected=8.8),
    pair("preference/sppo", {"beta": 0.5}, loss=0.16),
    pair("preference/sr_dpo", {"weight": 0.3, "beta": 0.5}, columns={"margin": (2.0, 2.0)}, loss=nll(0.8 - 0.3),
         chosen=-0.5 * sigmoid(-0.5)),
    pair("preference/sr_dpo", columns={"margin": (16.0, 0.0)}, loss=log(2), note="the chosen answer's margin counts"),
)

# ---- one pair, no reference: mean log-probs -2 and -3, sums -10 and -12

NO_REFERENCE = (
    # S_w = -1 and λ S_l = -0.6
    pair("preference/cpl", loss=0.91301525, chosen=-0.1 * sigmoid(0.4), rejected=0.05 * sigmoid(0.4)),
    # -1 - 3/2 - 2/4 - 2.5/8 - 1.5/16 against -3 - 2/2 - 4/4 - 3/8
    pair("preference/cpl", {"gamma": 0.5, "beta": 1.0, "bias": 1.0}, loss=nll(5.375 - 3.40625)),
    pair("preference/cpo", loss=2.59813887, chosen=-0.1 * 0.4501660 - 1 / 5, rejected=0.1 * 0.4501660,
         metrics={"loss/preference": 0.59813887, "loss/nll": 2.0, "logps/margins": 2.0}),
    pair("preference/orpo", loss=2.02887508, metrics={"loss/nll": 2.0, "log_odds/margins": 1.09434428},
         chosen=-1 / 5 - 0.1 * sigmoid(-1.09434428) / 5 / (1 - exp(-2)),
         rejected=0.1 * sigmoid(-1.09434428) / 4 / (1 - exp(-3))),
    pair("preference/orpo", answers=(answer(logp=[log(0.9)]), answer(logp=[log(0.8)])),
         metrics={"log_odds/margins": log(9 / 4)}, note="above a half, log(1 - p) is computed the other way"),
    # z = 2 (-2 + 3) - 1
    pair("preference/simpo", loss=0.31326169, chosen=-2 * 0.26894142 / 5, rejected=2 * 0.26894142 / 4,
         metrics={"mean_logp/margins": 1.0, "rewards/accuracies": 1}),
    pair("preference/slic", {"delta": 3.0}, loss=2.0, chosen=-1.1, rejected=1.0,
         metrics={"loss/preference": 1.0, "loss/nll": 10.0, "logps/margins": 2.0}),
    pair("preference/slic", {"delta": 3.0, "beta": 0.5}, metrics={"loss/preference": 2.0}),
)

# ---- one pair and a term beside it

BESIDE = (
    pair("preference/selm", {"beta": 0.1, "exploration.weight": 0.02}, others={"fresh": [FRESH]}, loss=DPO + 0.03,
         chosen=-0.1 * WRONG, rejected=0.1 * WRONG, metrics={"loss/exploration": 1.5},
         gradients={"fresh.logp": [0.02]}),
    pair("preference/spac", {"preference.weight": 2.0}, others={"fresh": [FRESH]}, loss=2 * DPO + 0.1 * (1.5 - 1),
         chosen=-2 * 0.1 * WRONG - 0.1, rejected=2 * 0.1 * WRONG, metrics={"loss/own": 1.5, "loss/data": -1.0},
         gradients={"fresh.logp": [0.1]}),
    # Values of 0.2 and 0.1 at the last tokens against targets of 1 and -0.5
    pair("preference/svpo", columns={"value": ([7.0] * 4 + [0.2], [7.0] * 3 + [0.1]), "reward": (1.0, -0.5)},
         loss=DPO + 0.05 + 0.04, metrics={"loss/preference": DPO, "loss/value": (0.64 + 0.36) / 2, "loss/order": 0.4},
         gradients={"value": [[0, 0, 0, 0, 0.1 * -0.8 - 0.1], [0, 0, 0, 0.1 * 0.6 + 0.1]]}),
    pair("preference/vpo", {"pessimism.weight": 0.05}, loss=DPO - 0.05, chosen=-0.1 * WRONG - 0.05,
         rejected=0.1 * WRONG, metrics={"loss/pessimism": -1.0}),
)

# ---- several pairs

BY_RANK = [-1.0, -0.5, 0.5]  # gaps of -1 against -0.5, 0.5 against 0, 2 against 3
GOOD_BY_RANK, BAD_BY_RANK = [-0.5, -1.0, 0.5], [0.5, -0.5, -1.0]  # -2 against -1, 0.5 against 0, 1 against 1.5
# A third of the mass, 5/3 of a pair: the smallest loss loses all, the next two thirds, the largest gains both.
DR_DPO = [(3.0, 1 / 3), (-1.0, 8 / 3), (0.5, 1), (8.0, 0), (2.0, 1)]  # gap, weight

SEVERAL = (
    pairs("preference/aot", logps=[(-1.0, -3.0), (-2.0, -1.0), (-4.0, -4.5)],
          ref_logps=[(-2.0, -1.5), (-1.0, -4.0), (-1.0, -1.0)], loss=sum(nll(0.1 * d) for d in BY_RANK) / 3,
          within=1e-14, chosen=[-0.1 * sigmoid(-0.1 * d) / 3 for d in BY_RANK],
          rejected=[0.1 * sigmoid(-0.1 * d) / 3 for d in BY_RANK]),
    pairs("preference/aot_unpaired", logps=[(1.0, 0.0), (-2.0, 1.5), (0.5, -1.0)],
          loss=sum(nll(0.1 * d) for d in GOOD_BY_RANK) / 3, within=1e-14,
          chosen=[-0.1 * sigmoid(-0.1 * d) / 3 for d in GOOD_BY_RANK],
          rejected=[0.1 * sigmoid(-0.1 * d) / 3 for d in BAD_BY_RANK]),
    # The mean gap is 1.5 where 1 is usual, so β is 0.13.
    pairs("preference/beta_dpo", {"dropped": 0.0}, gaps=[1.0, 2.0], loss=(nll(0.13) + nll(0.26)) / 2, within=1e-12,
          chosen=[-0.13 * sigmoid(-0.13) / 2, None], rejected=[0.13 * sigmoid(-0.13) / 2, None],
          states={"mean_gap": {"mean": (1 - 0.15) / 0.9}, "spread": {"mean": 1.0}},
          after={"mean_gap": {"mean": 1.0}, "spread": {"mean": 0.9 + 0.1 * 0.5}}),
    # 1.6 where 1.1 is usual: β is again 0.13.
    pairs("preference/beta_dpo", gaps=[1.6], loss=0.59454546,
          states={"mean_gap": {"mean": (1.1 - 0.16) / 0.9}, "spread": {"mean": 1.0}}),
    pairs("preference/beta_dpo", {"dropped": 0.0}, gaps=[1.0, 3.0], loss=(nll(0.1) + nll(0.3)) / 2,
          after={"mean_gap": {"mean": 2}, "spread": {"mean": 1}}, note="first batch"),
    pairs("preference/beta_dpo", gaps=[-9.0], loss=nll(-0.009), note="smallest β",
          states={"mean_gap": {"mean": 9.0}, "spread": {"mean": 1.0}}),
    pairs("preference/dr_dpo", {"radius": 1 / 3}, gaps=[gap for gap, _ in DR_DPO],
          loss=sum(weight * nll(0.1 * gap) for gap, weight in DR_DPO) / 5,
          chosen=[-weight / 5 * 0.1 * sigmoid(-0.1 * gap) for gap, weight in DR_DPO]),
)

# ---- lists: log-ratios 1, -0.6 and 0.4, mean log-probs -2, -3 and -1, the best first

A, B, C = exp(0.1), exp(-0.06), exp(0.04)
P, Q, R = exp(-1.0), exp(-1.5), exp(-0.5)
MODEL, TARGET = softmax([0.5, -0.3, 0.2]), softmax([2.0, 4.0, -1.0])
KL = sum(q * log(q / p) for q, p in zip(MODEL, TARGET, strict=True))

LISTS = (
    batch("preference/dpo_list", answers=listed(CHOSEN, REJECTED, THIRD), within=1e-12,
          loss=log((A + B + C) / A) + log((B + C) / B),
          logp=[0.1 * (A / (A + B + C) - 1), 0.1 * (B / (A + B + C) + B / (B + C) - 1),
                0.1 * (C / (A + B + C) + C / (B + C))]),
    batch("preference/dpo_list", answers=[*listed(CHOSEN, REJECTED), *listed(REJECTED, CHOSEN, group=1)],
          loss=DPO + 0.08, note="two lists do not mix"),
    batch("preference/exo_list", {"reward_scale": 0.25}, listed(CHOSEN, REJECTED, THIRD, reward=(0.5, 1.0, -0.25)),
          loss=KL, within=1e-12, logp=[0.5 * q * (log(q / p) - KL) for q, p in zip(MODEL, TARGET, strict=True)]),
    batch("preference/mpra", {"beta": 0.5, "nll.weight": 0.25}, listed(CHOSEN, REJECTED, THIRD), within=1e-12,
          loss=log((P + Q + R) / P) + log((Q + R) / Q) + 0.5,
          metrics={"loss/ranking": log((P + Q + R) / P) + log((Q + R) / Q), "loss/nll": 2.0},
          logp=[(0.5 * (P / (P + Q + R) - 1) - 0.25) / 5, 0.5 * (Q / (P + Q + R) + Q / (Q + R) - 1) / 4,
                0.5 * (R / (P + Q + R) + R / (Q + R)) / 2]),
    batch("preference/mpra", answers=[*listed(CHOSEN, REJECTED), *listed(REJECTED, CHOSEN, group=1)],
          metrics={"loss/ranking": (nll(1) + nll(-1)) / 2, "loss/nll": (2 + 3) / 2}, note="two lists do not mix"),
)

# ---- single answers that are good or bad

GOOD, BAD = answer(label=True, **CHOSEN.values), answer(label=False, **REJECTED.values)
ELSEWHERE = answer(label=True, logp=[-1.0, -1.0], ref_logp=[-1.2, -1.1])  # log-ratio 0.3
HIGHER = answer(label=True, logp=[-1.0], ref_logp=[-2.5])  # log-ratio 1.5
LOWER = answer(label=True, logp=[-2.0], ref_logp=[-0.5])  # log-ratio -1.5

RATINGS = (
    batch("preference/kto", answers=[GOOD], others={"mismatched": [ELSEWHERE]}, loss=0.48250714,
          logp=[-0.1 * 0.48250714 * 0.51749286], metrics={"accuracy": 1}),
    batch("preference/kto", answers=[BAD], others={"mismatched": [ELSEWHERE]}, loss=0.47751518,
          logp=[0.1 * 0.47751518 * 0.52248482], metrics={"accuracy": 1}),
    batch("preference/kto", {"desirable": 2.0, "undesirable": 3.0}, [GOOD, BAD], others={"mismatched": [ELSEWHERE]},
          loss=(2 * 0.48250714 + 3 * 0.47751518) / 2),
    # 1 - σ(0.1)
    batch("preference/kto", answers=[GOOD], others={"mismatched": [LOWER]}, loss=0.47502081,
          note="the reference point is never negative"),
    batch("preference/kto", answers=[GOOD], others={"mismatched": [HIGHER, LOWER, ELSEWHERE]}, loss=0.47752,
          within=1e-5, note="the reference point is the mean"),
)

# fmt: on

PREFERENCE = (*ONE_PAIR, *NO_REFERENCE, *BESIDE, *SEVERAL, *LISTS, *RATINGS)
