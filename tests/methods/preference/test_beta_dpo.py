import math

import pytest
import torch

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from posttrain.formulas.credit.pairs import kept_pairs
from tests.harness.numbers import answer, step
from tests.methods.preference.pair import on_pair

pytestmark = pytest.mark.paper("002:beta-DPO")

BETA_DPO = load("preference/beta_dpo")
PLAIN = answer(logp=[0.0], ref_logp=[0.0])


def on(gaps, states=None, **settings):
    """Pairs with these gaps."""
    rows = [r for gap in gaps for r in (answer(logp=[gap], ref_logp=[0.0]), PLAIN)]
    pairs = [(2 * i, 2 * i + 1) for i in range(len(gaps))]
    return step(configure(BETA_DPO, settings), *rows, pairs=pairs, states=states)


def test_golden_unusual_pairs_are_left_out():
    """Nine at the usual gap and one far away: a fifth is dropped, the far one surely, and beta sees the rest."""
    before = {"mean_gap": {"mean": (1 - 0.1 * 5.9) / 0.9}, "spread": {"mean": 0.01}}
    one = on([1.0] * 9 + [50.0], before)
    assert one.states["mean_gap"]["mean"] == pytest.approx(1)
    gradient = [g[0] for g in one.gradient("logp")[::2]]
    assert gradient[-1] == 0
    assert sum(g == 0 for g in gradient) == 2
    assert min(gradient) == pytest.approx(-0.1 / (1 + math.exp(0.1)) / 8)
    assert one.metrics["loss"] == pytest.approx(math.log1p(math.exp(-0.1)))


def test_golden_gaps_below_the_usual_are_unusual_too():
    """The distance counts in units of the spread."""
    for spread, dropped in ((0.01, True), (1e6, None)):
        before = {"mean_gap": {"mean": 0.0}, "spread": {"mean": spread}}
        one = on([0.0] * 4 + [-30.0], before, **{"mean_gap.decay": 1.0, "spread.decay": 1.0})
        if dropped:
            assert one.gradient("logp")[8] == [0.0]


def test_golden_how_often_a_pair_is_kept():
    """One of two pairs, at gaps 0 and 1 where 1 is usual, with spread 1: P(second) = 1/(1 + e^-1/2)."""
    gaps, pairs = torch.tensor([0.0, 1.0]), torch.tensor([[0, 1], [2, 3]])
    kept = [
        kept_pairs(gaps, 0 * gaps, gaps[1], gaps[1], pairs, torch.arange(4), s, dropped=0.5)[1] / 2 for s in range(3000)
    ]
    assert float(torch.stack(kept).mean()) == pytest.approx(1 / (1 + math.exp(-0.5)), abs=0.02)


def test_with_nothing_dropped_and_no_strength_it_is_dpo():
    plain = on_pair(configure(BETA_DPO, {"strength": 0.0, "dropped": 0.0}))
    dpo = on_pair(load("preference/dpo"))
    assert plain.metrics["loss"] == pytest.approx(dpo.metrics["loss"], abs=1e-14)
    assert plain.gradient("logp")[0] == pytest.approx(dpo.gradient("logp")[0], abs=1e-14)


def test_the_first_batch_is_usual_so_its_beta_is_the_setting():
    assert on_pair(BETA_DPO).metrics["loss"] == pytest.approx(on_pair(load("preference/dpo")).metrics["loss"])
