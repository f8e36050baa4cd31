"""Every method against independent code: gradients, training, micro-batches, row order, resume, pickling."""

import pickle
from dataclasses import replace

import pytest

from posttrain.catalogue import index as catalogue
from posttrain.runs.state import read_state, write_state
from tests.harness import reference
from tests.harness.cases import SMALL, Case, distance, parameters, size
from tests.harness.independent import Independent
from tests.harness.reference import REFERENCES

pytestmark = pytest.mark.usefixtures("float64")


def checked():
    """Every method that has an independent implementation, at one optimiser step per batch and at four."""
    cases = {}
    for path in catalogue.paths():
        method = catalogue.load(path)
        if method.name in REFERENCES:
            cases |= {f"{method.name}-{n}x{n}": (method, n, False) for n in (1, 2)}
    ppo = catalogue.load("online/ppo")
    return cases | {f"ppo-shared-trunk-{n}x{n}": (ppo, n, True) for n in (1, 2)}


CASES = checked()


@pytest.fixture(params=CASES)
def case(request):
    method, steps, shared = CASES[request.param]
    return Case(replace(method, passes=steps, minibatches=steps), shared=shared)


def test_gradient_and_training_equal_independent_code(case):
    independent, trainer = Independent(case), case.trained(2)
    for number in range(2):
        independent.train(number)
    first = trainer.learner.gradients[0]
    assert size(first) > 1e-4
    assert distance(first, independent.first) < 1e-12 * max(size(first), 1)
    assert distance(parameters(trainer), independent.parameters()) < 1e-9


def test_micro_batches_and_the_order_of_rows_do_not_matter(case):
    first = case.trained(1).learner.gradients[0]
    for tokens, order in ((SMALL, None), (case.smallest(), None), (SMALL, 7)):
        other = case.trained(1, tokens, order).learner.gradients[0]
        assert distance(first, other) < 1e-12 * max(size(first), 1)


def test_a_resumed_run_continues_bit_for_bit(case, tmp_path):
    run = case.trained(2, SMALL)
    write_state(tmp_path, "trainer", run.state())
    resumed = case.trainer(SMALL)
    resumed.restore(read_state(tmp_path, "trainer"))
    for trainer in (run, resumed):
        for _ in range(2):
            trainer.train(case.batches())
    assert distance(parameters(run), parameters(resumed)) == 0
    assert run.states == resumed.states
    assert run.batch_number == resumed.batch_number == 4


def test_methods_and_plans_pickle(case):
    made = case.trainer().plan
    assert pickle.loads(pickle.dumps(case.method)) == case.method
    assert hash(pickle.loads(pickle.dumps(case.method))) == hash(case.method)
    assert pickle.loads(pickle.dumps(made)) == made


def test_no_independent_implementation_is_without_its_method():
    assert set(REFERENCES) == {m.name for m, _, _ in CASES.values()}


def test_the_clip_was_active_in_what_was_compared():
    case = Case(replace(catalogue.load("online/ppo"), passes=2, minibatches=2))
    before = reference.ppo.clipped
    Independent(case).train(0)
    assert reference.ppo.clipped > before
