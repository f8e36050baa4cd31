import pytest
import torch

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from posttrain.core.rows import Rows
from tests.harness.networks import TinyNet
from tests.harness.numbers import step
from tests.methods.online.group import group, per_answer

pytestmark = pytest.mark.paper("wang2023v62")

ESRL, REINFORCE = load("online/esrl"), load("online/reinforce")


def test_golden_queue():
    """Rewards 1, 0, 0, 3 are the first batch; of 5 the queue then drops the oldest."""
    first = step(configure(ESRL, {"size": 5}), *group())
    assert first.value("baseline") == 0
    assert first.states["baseline"]["rewards"] == [1, 0, 0, 3]
    second = step(configure(ESRL, {"size": 5}), *group([5.0, 7.0], [1, 1]), states=first.states)
    assert second.value("baseline") == 1
    assert per_answer(second.value("advantage")) == [4, 6]
    assert second.states["baseline"]["rewards"] == [0, 0, 3, 5, 7]


def test_golden_answers_that_are_not_trained_do_not_queue():
    assert step(ESRL, *group(), *group([9.0], [1], train=False)).states["baseline"]["rewards"] == [1, 0, 0, 3]


def test_with_an_empty_queue_it_is_reinforce():
    assert step(ESRL, *group()).gradient("logp") == step(REINFORCE, *group()).gradient("logp")


def test_one_pass_over_the_answer_has_the_gradient_of_sampling_with_a_graph():
    """One stage keeps the graph of each token as it is drawn; two stages read the whole answer once."""
    model, tokens = TinyNet(0), torch.tensor([3, 1, 4, 1, 5])

    def logp(length):
        mask = torch.tensor([False, *[True] * (length - 1)])
        rows = Rows(torch.zeros(length, dtype=torch.long), mask, 1)
        return model.outputs(tokens[:length], rows, ["logp"])["logp"]

    weights = [p for p in model.parameters() if p.requires_grad]
    drawn = torch.stack([logp(n)[-1] for n in range(2, len(tokens) + 1)]).sum()
    one = torch.autograd.grad(2.5 * drawn, weights, allow_unused=True)
    two = torch.autograd.grad(2.5 * logp(len(tokens))[1:].sum(), weights, allow_unused=True)
    assert max(float(g.abs().max()) for g in two if g is not None) > 0.1
    for a, b in zip(one, two, strict=True):
        assert (a is None) == (b is None)
        assert a is None or torch.allclose(a, b, atol=1e-12)
