"""One reduction for every method: totals, counts, the share of a micro-batch, losses that mix rows."""

import math
from dataclasses import replace

import pytest
import torch

from posttrain.core.method import MAIN, SEQUENCE_MEAN, SEQUENCE_SUM, TOKEN_MEAN, Method, Stream, Term
from posttrain.core.parts import PerPair, PerRow, Scalar, pairwise, part
from posttrain.core.plan import plan
from posttrain.core.reduce import count, micro_loss, total, whole_gradients
from posttrain.core.reduce import counts as counted
from posttrain.data.collate import collate
from posttrain.formulas.losses.pairs import gap, logistic
from posttrain.formulas.losses.scores import log_ratio, mean_logp, nll, sum_logp
from posttrain.methods.preference.dpo import METHOD as DPO
from posttrain.records import Row

pytestmark = pytest.mark.usefixtures("float64")


def softmin(losses: PerPair, *, beta: float = 1.0) -> Scalar:
    """-β log mean exp(-l/β): pairs that fit badly count less (the robust loss of DR-DPO)."""
    return -beta * ((-losses / beta).logsumexp(0) - torch.tensor(float(len(losses))).log())


def row_mean(logp, rows) -> PerRow:
    return rows.mean(logp)


# Row 0: two trained tokens of 1.0 and 3.0. Row 1: none. Row 2: one of 5.0.
MASKS = [(False, True, True), (False, False), (False, True)]
X = torch.tensor([9.0, 1, 3, 9, 9, 9, 5]).double()


def batch(masks=MASKS, pairs=((0, 2),)):
    rows = [Row(i, tuple(range(len(m))), m, (False,) + (True,) * (len(m) - 1)) for i, m in enumerate(masks)]
    return collate(rows, list(pairs))


REDUCTIONS = {  # total, count of the batch above
    "tokens": (Term(nll, reduce=TOKEN_MEAN), X, 9.0, 3),
    "sequence means": (Term(nll, reduce=SEQUENCE_MEAN), X, 2.0 + 5.0, 2),
    "sequence sums": (Term(nll, reduce=SEQUENCE_SUM), X, 4.0 + 5.0, 2),
    "rows": (Term(row_mean), torch.tensor([2.0, 99.0, 5.0]), 7.0, 2),
    "pairs": (Term(pairwise(gap, sum_logp)), torch.tensor([4.0]), 4.0, 1),
}


@pytest.mark.parametrize("name", REDUCTIONS)
def test_totals_and_counts_see_what_is_trained(name):
    term, values, expected, number = REDUCTIONS[name]
    assert float(total(term, values, batch())) == expected
    assert count(term, batch()) == number


@pytest.mark.fault("N7")
def test_nothing_to_count_is_one():
    empty = batch([(False, False)], pairs=())
    assert counted([t for t, *_ in REDUCTIONS.values()], empty) == {t: 1.0 for t, *_ in REDUCTIONS.values()}


def test_totals_add_up_over_any_cut():
    b = batch([(False, True, True), (False, True), (False, True)], pairs=[(0, 1)])
    for term, *_ in REDUCTIONS.values():
        if term.part.axes == "T":
            x = torch.arange(7.0)
            pieces = [b.add({"advantage": x}, {"advantage": "T"}).select(p) for p in ([2], [0, 1])]
            assert sum(float(total(term, p["advantage"], p)) for p in pieces) == float(total(term, x, b))


class TestMicroLoss:
    method = Method(
        name="two",
        streams=Stream("demonstrations"),
        loss={"a": Term(nll, 2.0, TOKEN_MEAN), "b": Term(mean_logp, 0.5)},
        metrics={"length_free": mean_logp},
    )

    def shares(self, counts=None):
        made, b = plan(self.method), batch(pairs=())
        terms = [*made.terms[MAIN].values(), *made.metrics[MAIN].values()]
        live = {"logp": X.clone().requires_grad_()}
        loss, shares = micro_loss(made, MAIN, b, live, counts or counted(terms, b), fresh=True)
        loss.backward()
        return loss, shares, live["logp"].grad

    def test_weighs_the_terms_and_reports_them_unweighed(self):
        loss, shares, _ = self.shares()
        assert shares == {"loss/a": -3.0, "loss/b": 3.5, "length_free": 3.5}
        assert float(loss.detach()) == 2 * -3.0 + 0.5 * 3.5

    def test_divides_by_the_counts_that_it_is_given(self):
        term = self.method.loss["a"]
        given = {term: 30.0, self.method.loss["b"]: 20.0, self.method.metrics["length_free"]: 10.0}
        _, shares, _ = self.shares(given)
        assert shares == pytest.approx({"loss/a": -0.3, "loss/b": 0.35, "length_free": 0.7})

    def test_metrics_carry_no_gradient(self):
        _, _, gradient = self.shares()
        assert gradient.tolist() == pytest.approx([0, -2 / 3 + 0.125, -2 / 3 + 0.125, 0, 0, 0, -2 / 3 + 0.25])


class TestWhole:
    method = Method(
        name="robust",
        streams=Stream("pairs"),
        loss={"robust": Term(part(softmin, losses=pairwise(logistic, log_ratio)), 0.7)},
    )

    def live(self):
        return torch.tensor([0.0, -1, -2, 0, -0.5, 0, -3, 0, -1])

    def batch(self):
        ref = torch.tensor([0.0, -2, -1, 0, -1.5, 0, -1, 0, -2])
        masks = [(False, True, True), (False, True), (False, True), (False, True)]
        b = batch(masks, pairs=[(0, 1), (3, 2)])
        return b.add({"ref_logp": ref}, {"ref_logp": "T"})

    def test_cotangents_are_the_gradient_of_the_whole_minibatch(self):
        made, b, logp = plan(self.method), self.batch(), self.live().requires_grad_()
        losses = self.method.loss["robust"].part(b.add({"logp": logp}, {"logp": "T"}))
        (0.7 * losses).backward()
        with_gradient, value, shares = whole_gradients(made, MAIN, b, {"logp": self.live()})
        assert torch.allclose(with_gradient.cotangents["logp"], logp.grad)
        assert value == pytest.approx(0.7 * float(losses.detach()))
        assert shares == {"loss/robust": pytest.approx(float(losses.detach()))}

    def test_micro_batches_multiply_them_with_their_own_outputs(self):
        made = plan(self.method)
        b, _, _ = whole_gradients(made, MAIN, self.batch(), {"logp": self.live()})
        whole = torch.zeros(9)
        for rows, tokens in (([0, 1], slice(0, 5)), ([2, 3], slice(5, 9))):
            live = {"logp": self.live()[tokens].requires_grad_()}
            loss, shares = micro_loss(made, MAIN, b.select(rows), live, {}, fresh=True)
            loss.backward()
            whole[tokens] = live["logp"].grad
            assert shares == {}
        assert torch.allclose(whole, b.cotangents["logp"])

    def test_outputs_where_nobody_wrote_are_not_read(self):
        made, b = plan(self.method), self.batch()
        outside = torch.where(b["rows"].mask, self.live(), math.nan).requires_grad_()
        b, value, _ = whole_gradients(made, MAIN, b, {"logp": outside})
        loss, _ = micro_loss(made, MAIN, b, {"logp": outside}, {}, fresh=True)
        loss.backward()
        assert math.isfinite(value)
        assert float(loss.detach()) == 0
        assert torch.equal(outside.grad, b.cotangents["logp"])

    def test_a_method_without_such_terms_is_left_alone(self):
        b = self.batch()
        made, value, shares = whole_gradients(plan(DPO), MAIN, b, {})
        assert made is b
        assert (value, shares) == (0.0, {})

    def test_its_weight_may_be_a_tensor(self):
        term = replace(self.method.loss["robust"], weight="kl_weight")
        method = replace(self.method, loss=term, derived={"kl_weight": half})
        b = self.batch().add({"kl_weight": torch.tensor(0.35), "seed": 0}, {"kl_weight": "", "seed": ""})
        _, value, shares = whole_gradients(plan(method), MAIN, b, {"logp": self.live()})
        assert value == pytest.approx(0.35 * shares["loss/loss"])


def half(step) -> Scalar:
    return torch.tensor(0.5)
