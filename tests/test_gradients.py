"""Every method against independent code: gradients, training, micro-batches, row order, resume, pickling."""

import pickle
from dataclasses import replace

import pytest
import torch

from posttrain import catalogue
from posttrain.runs.state import read_state, write_state
from posttrain.seeds import seed_for
from tests import reference
from tests.cases import RATE, SMALL, Case, distance, networks, parameters, size

pytestmark = pytest.mark.usefixtures("float64")
REFERENCES = {name: c for name, c in vars(reference).items() if isinstance(c, type) and hasattr(c, "loss")}


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


class Independent:
    """The reference implementation on a case, with an optimiser of its own."""

    def __init__(self, case):
        self.case, self.impl, self.memory = case, REFERENCES[case.method.name], {}
        self.nets, self.plan = networks(shared=case.shared), case.trainer().plan
        self.trained = {id(self.nets[r]): r for r in self.plan.trained}.values()
        self.adam = torch.optim.Adam([p for r in self.trained for p in self.nets[r].parameters()], lr=RATE)
        main = case.data["main"]
        self.data = case.data | {"pairs": list(zip(main[::2], main[1::2], strict=True))}
        self.first = None

    def train(self, number):
        once = self.impl.once(self.nets, self.data, self.memory)
        for k in range(self.case.method.passes):
            for hand in self.hands(seed_for(seed_for(5, "batch", number), "pass", k)):
                self.adam.zero_grad()
                self.impl.loss(self.nets, self.data, once, hand).backward()
                self.first = self.first or self.gradient()
                self.adam.step()
        self.impl.end(self.nets, self.data, once, self.memory)

    def hands(self, seed):
        """The rows of each minibatch, as the library deals them."""
        by_id = {r["id"]: r for rows in self.case.data.values() for r in rows}
        dealt = [
            b.without_spectators(self.plan.links(s)).deal(self.plan.links(s), self.case.method.minibatches, seed)
            for s, b in self.case.batches().items()
        ]
        for minis in zip(*dealt, strict=True):
            ids = {s: m["row_id"].tolist() for s, m in zip(self.case.data, minis, strict=True)}
            yield {s: [by_id[i] for i in rows] for s, rows in ids.items()}

    def gradient(self):
        named = [(f"{r}.{n}", p) for r in self.trained for n, p in self.nets[r].named_parameters()]
        return {n: p.grad.clone() for n, p in named if p.grad is not None}

    def parameters(self):
        return {f"{r}.{n}": p.detach() for r in self.plan.trained for n, p in self.nets[r].named_parameters()}


def test_gradient_and_training_equal_independent_code(case):
    independent, trainer = Independent(case), case.trained(2)
    for number in range(2):
        independent.train(number)
    first = trainer.backend.gradients[0]
    assert size(first) > 1e-4
    assert distance(first, independent.first) < 1e-12 * max(size(first), 1)
    assert distance(parameters(trainer), independent.parameters()) < 1e-9


def test_micro_batches_and_the_order_of_rows_do_not_matter(case):
    first = case.trained(1).backend.gradients[0]
    for tokens, order in ((SMALL, None), (case.smallest(), None), (SMALL, 7)):
        other = case.trained(1, tokens, order).backend.gradients[0]
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
    bases = {c.__name__ for c in REFERENCES.values()} - {m.name for m, _, _ in CASES.values()}
    assert bases == {"Pairs", "Forgetful", "Unpenalised"}


def test_the_clip_was_active_in_what_was_compared():
    case = Case(replace(catalogue.load("online/ppo"), passes=2, minibatches=2))
    before = reference.ppo.clipped
    Independent(case).train(0)
    assert reference.ppo.clipped > before
