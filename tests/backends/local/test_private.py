"""A learner that no record can move far: sensitivity, noise, and what it is without either."""

import math
from dataclasses import replace

import pytest
import torch

from posttrain.backends.local.learner import LocalLearner
from posttrain.backends.local.optimiser import AdamW
from posttrain.backends.local.private import LocalPrivateLearner
from posttrain.backends.protocol import Mechanism
from posttrain.catalogue.index import load
from posttrain.core.method import MAIN
from posttrain.core.plan import plan
from posttrain.core.reduce import counts
from posttrain.core.vocabulary import When
from posttrain.training.private_records import tied
from posttrain.training.trainer import Trainer
from tests.harness.cases import RATE, ROLES, Case, networks

pytestmark = [pytest.mark.usefixtures("float64"), pytest.mark.paper("wu2023pjz")]

NAMES = ("online/dpppo", "online/rloo", "preference/dpo", "reward/bradley_terry")
CASES = {name: Case(replace(load(name), passes=1)) for name in NAMES}


def private(case, clip, noise, records, seed=0, **settings):
    settings = {"max_grad_norm": 0.0} | settings
    learner = LocalPrivateLearner(networks(), optimiser=AdamW(**settings), seed=seed)
    learner.protect(Mechanism(clip, noise, records))
    return Trainer(tied(plan(case.method, case.batches())), learner, rates=lambda _: dict.fromkeys(ROLES, RATE))


def units(trainer, case):
    batch = case.batches()[MAIN]
    return len(batch.units(trainer.plan.links(MAIN)))


def weights(trainer):
    return torch.cat([p.detach().flatten() for o in trainer.learner.optimisers.values() for p in o.parameters])


@pytest.mark.parametrize("name", NAMES)
def test_without_noise_and_clipping_it_is_ordinary_training(name):
    case = CASES[name]
    ordinary = LocalLearner(networks(), optimiser=AdamW(max_grad_norm=0.0))
    plain = Trainer(plan(case.method, case.batches()), ordinary, rates=lambda _: dict.fromkeys(ROLES, RATE))
    mine = private(case, math.inf, 0.0, 1)
    mine.learner.protect(Mechanism(math.inf, 0.0, units(mine, case)))
    for _ in range(2):
        a, b = plain.train(case.batches()), mine.train(case.batches())
    assert a["loss"] == pytest.approx(b["loss"], abs=1e-12)
    assert float((weights(plain) - weights(mine)).abs().max()) < 1e-9


def summed(case, left_out=None, clip=0.01):
    """The sum of the clipped gradients, of all models together, without one unit of rows."""
    trainer = private(case, clip, 0.0, 1)
    derived, _ = trainer.derive(When.ONCE, {s: b.add({"seed": 0, "step": 0}, {"seed": "", "step": ""})
                                            for s, b in case.batches().items()})  # fmt: skip
    batch = derived[MAIN]
    tied_rows = batch.units(trainer.plan.links(MAIN))
    kept = [r for number, unit in enumerate(tied_rows) if number != left_out for r in unit]
    mini = batch.select(kept)
    terms = [*trainer.plan.terms[MAIN].values(), *trainer.plan.metrics[MAIN].values()]
    trainer.learner.accumulate(trainer.plan, MAIN, mini, counts(terms, mini), fresh=True)
    return torch.cat([t for totals in trainer.learner.sums.values() for t in totals]), len(tied_rows)


@pytest.mark.parametrize("name", NAMES)
def test_no_record_moves_the_sum_by_more_than_the_clip(name):
    """A clip that binds for all: each moves it by just that much, over all models together."""
    whole, number = summed(CASES[name])
    moved = [float((whole - summed(CASES[name], i)[0]).norm()) for i in range(number)]
    assert max(moved) <= 0.01 + 1e-12
    assert min(moved) == pytest.approx(0.01)


def test_the_noise_has_its_size_and_is_divided_by_the_expected_records():
    case = CASES["preference/dpo"]
    trainer = private(case, 0.5, 4.0, 8)
    learner = trainer.learner
    learner._add_noise()
    grads = torch.cat([s.grad for o in learner.optimisers.values() for s in o.param_states])
    assert float(grads.std()) == pytest.approx(4.0 * 0.5 / 8, rel=0.1)
    assert abs(float(grads.mean())) < 0.05


def test_noise_derives_from_the_seed_and_the_number_of_the_step():
    case = CASES["preference/dpo"]
    ends = []
    for seed in (1, 1, 2):
        trainer = private(case, 0.1, 1.0, 6, seed=seed)
        trainer.train(case.batches())
        trainer.train(case.batches())
        ends.append(weights(trainer))
    assert torch.equal(ends[0], ends[1])
    assert not torch.equal(ends[0], ends[2])


def test_a_resumed_run_draws_the_same_noise():
    case = CASES["preference/dpo"]
    one, other = private(case, 0.1, 1.0, 6), private(case, 0.1, 1.0, 6)
    one.train(case.batches())
    other.restore(one.state())
    assert other.learner.taken == 1
    for trainer in (one, other):
        trainer.train(case.batches())
    assert torch.equal(weights(one), weights(other))


def test_a_failed_step_leaves_nothing_behind():
    case = CASES["preference/dpo"]
    trainer = private(case, 0.1, 0.0, 6)
    batch = case.batches()[MAIN]
    terms = [*trainer.plan.terms[MAIN].values(), *trainer.plan.metrics[MAIN].values()]
    derived, _ = trainer.derive(When.ONCE, {MAIN: batch})
    trainer.learner.accumulate(trainer.plan, MAIN, derived[MAIN], counts(terms, batch), fresh=True)
    trainer.learner.discard()
    assert not any(t.any() for totals in trainer.learner.sums.values() for t in totals)


def test_low_precision_gradients_are_replaced_too():
    from posttrain.backends.local.optimiser import Optimiser

    parameter = torch.nn.Parameter(torch.zeros(3, dtype=torch.bfloat16))
    optimiser = Optimiser([parameter], AdamW())
    optimiser.param_states[0].put(torch.tensor([1.0, 2.0, 2.0]))
    assert float(optimiser.norm()) == 3.0
