"""Golden numbers of the methods that procedures bring along, and of the formulas that only these read."""

from __future__ import annotations

import sys
from math import exp, log

import pytest

from posttrain.catalogue.configure import configure
from posttrain.formulas.credit import scaling
from posttrain.formulas.losses import penalties, scores
from posttrain.procedures.games.nash_mirror_prox import PROX
from posttrain.procedures.pipelines.llama3_rounds import LLAMA3_DPO
from posttrain.procedures.pipelines.ziegler import ZIEGLER_PPO
from posttrain.procedures.rounds.quark import QUARK
from tests.harness.mutants import Formula, cases_of, survivors
from tests.harness.numbers import answer, step
from tests.methods.online.group import group
from tests.methods.preference.pair import CHOSEN, REJECTED, on_pair

pytestmark = pytest.mark.usefixtures("float64")


def test_golden_quark():
    """KL(π || π_0) of (1/4, 3/4) and an even reference is log 2 - H; the weights are those of the authors' code."""
    models = {"logits": [[0.0, log(3)], [2.0, 2.0]], "ref_logits": [[1.0, 1.0], [1.0, 1.0]]}
    one = answer(logp=[-1.0, -2.0], entropy=[0.5, 0.75], **models)
    made = step(QUARK, one)
    kl = 0.25 * log(0.25 / 0.5) + 0.75 * log(0.75 / 0.5)
    assert made.metrics["loss/nll"] == pytest.approx(1.5)
    assert made.metrics["loss/kl"] == pytest.approx(kl / 2)
    assert made.metrics["loss/entropy"] == pytest.approx(-0.625)
    assert made.metrics["loss"] == pytest.approx(1.5 + 0.05 * kl / 2 - 0.06 * 0.625)
    assert made.gradient("logp")[0] == pytest.approx([-0.5, -0.5])
    assert made.gradient("entropy")[0] == pytest.approx([-0.03, -0.03])
    slope = 0.75 * (log(1.5) - kl)  # dKL / d logit = q (log q/p - KL)
    assert made.gradient("logits")[0][0] == pytest.approx([-0.05 / 2 * slope, 0.05 / 2 * slope])
    assert made.gradient("logits")[0][1] == pytest.approx([0, 0])


def test_golden_llama3_dpo():
    """-c/|y_w| log π(y_w), c = 0.2, beside DPO at β = 0.1 without the last tokens: log-ratios 0.5 and -0.4."""
    one = on_pair(LLAMA3_DPO, CHOSEN, REJECTED)
    wrong = 0.1 / (1 + exp(0.09))
    assert one.metrics["loss/nll"] == pytest.approx(2)
    assert one.metrics["loss"] == pytest.approx(0.64915934 + 0.2 * 2, abs=1e-8)
    assert one.gradient("logp")[0] == pytest.approx([-wrong - 0.2 / 5] * 4 + [-0.2 / 5])
    assert one.gradient("logp")[1] == pytest.approx([wrong] * 3 + [0])


@pytest.mark.parametrize(("tau", "share"), [(0.5, 0.25), (0.2, 1.0)])
def test_golden_prox(tau, share):
    """The KL is to π_ref^(1 - share) π_k^share, and every token of the answer is charged for the whole of it."""
    mine = answer(
        logp=[-1.0] * 2,
        old_logp=[-1.0, -1.0],
        ref_logp=[-2.0, -1.5],
        round_logp=[-1.25, -0.5],
        reward=0.8,
        group=0,
        author=0,
    )
    other = answer(
        False, **dict.fromkeys(("logp", "old_logp", "ref_logp", "round_logp"), [-1.0]), reward=0.2, group=0, author=1
    )
    one = step(configure(PROX, {"win_minus_kl.tau": tau, "between.share": share}), mine, other)
    kl = (1 - share) * 1.5 + share * -0.25
    assert one.value("advantage")[0] == pytest.approx([0.8 - 0.5 - tau * kl] * 2)
    assert one.gradient("logp")[1] == [0]


@pytest.mark.paper("000:[84]")
def test_golden_ziegler_ppo():
    """A score of 5 among scores of mean 2 and deviation 1.5 is a reward of 2; the KL is charged at β = 0.1."""
    units = {"standardised.mean": 2.0, "standardised.deviation": 1.5}
    rows = group([5.0], [2], ref_logp=-1.5)
    one = step(configure(ZIEGLER_PPO, units), *rows, states={"kl_weight": {"weight": 0.1}})
    assert one.value("token_reward")[0] == pytest.approx([-0.05, 2 - 0.05])


@pytest.mark.parametrize(
    "fn", [scaling.standardised, penalties.reverse_kl, penalties.minus_entropy, scores.between, scores.nll]
)
def test_a_broken_formula_is_noticed(fn):
    equivalent = {"reverse_kl": {"drop -: -1"}}  # the last of two axes
    tests = cases_of(sys.modules[__name__], "test_golden")
    assert survivors(fn, Formula, tests) == equivalent.get(fn.__name__, set())
