import itertools

import pytest
import torch

from posttrain.catalogue.index import load_decoder
from posttrain.errors import ConfigError
from posttrain.sampling.decoders.proxy import accepted, proxy
from tests.models.tiny import network
from tests.sampling.decoders.drawn import check, drawn, logits, outputs, requests

pytestmark = pytest.mark.paper("zhu2024zs2")

CHANCES = torch.tensor([[0.5, 0.3, 0.2]], dtype=torch.float64)
ACCEPTS = torch.tensor([[0.9, 0.2, 0.6]], dtype=torch.float64)


def test_golden():
    """Two candidates: the second is taken if it is proposed and accepted, or if the first is rejected."""
    found = accepted(torch.tensor([[0.6, 0.4]]), torch.tensor([[0.9, 0.5]]), most=9)[0].tolist()
    assert found == pytest.approx([0.6 * 0.9 + 0.4 * 0.5, 0.4 * 0.5 + 0.6 * 0.1])


@pytest.mark.parametrize("most", [0, 1, 2, 5])
def test_exact_over_all_orders_of_proposals(most):
    """By enumeration: every order of the tokens is a story, which ends at the first that is accepted."""
    p, a = CHANCES[0].tolist(), ACCEPTS[0].tolist()
    expected = [0.0] * 3
    for order in itertools.permutations(range(3)):
        left, reached = 1.0, 1.0
        for place, k in enumerate(order):
            proposed = reached * p[k] / left
            last = place == 2 or place >= most
            later = 1 if place == 2 else [1, 2][place == 0]  # orders that begin like this one, each counted
            expected[k] += proposed * (1.0 if last else a[k]) / later
            reached, left = proposed * (0.0 if last else 1 - a[k]), left - p[k]
    found = accepted(CHANCES, ACCEPTS, most)[0]
    assert found.tolist() == pytest.approx(expected)
    assert float(found.sum()) == pytest.approx(1)


def test_a_proxy_that_accepts_all_gives_the_model():
    policy = CHANCES.log() + 2
    yes, no = (lambda tokens, x=x: torch.full(tokens.shape, x) for x in (60.0, -60.0))
    torch.testing.assert_close(proxy(policy, yes, top_k=3).softmax(-1), CHANCES)
    torch.testing.assert_close(proxy(policy, no, top_k=3, most=0).softmax(-1), CHANCES)
    assert proxy(policy, no, top_k=1).softmax(-1)[0].tolist() == [1, 0, 0]


def test_an_accepted_token_gains_and_the_average_reward_with_it():
    policy = CHANCES.log()
    likes = proxy(policy, lambda tokens: torch.where(tokens == 2, 3.0, -1.0), top_k=3).softmax(-1)[0]
    assert likes[2] > 0.6 > CHANCES[0, 2]
    assert likes[0] < CHANCES[0, 0]


def test_what_is_drawn_and_recorded_is_the_accepted_token():
    critic = network(seed=2)
    critic.add_head("value", seed=3)
    networks, asked = {"policy": network(seed=1), "proxy": critic}, requests(2, max_tokens=3)
    made = drawn(networks, load_decoder("proxy", {"top_k": 3, "most": 2}), asked)

    def after(read, candidates):
        states = [outputs(critic, (*read, v), "hidden")[0][-1:] for v in candidates[0].tolist()]
        return torch.stack([critic.head("value", s) for s in states], -1)

    def scores(request, completion):
        rows = logits(networks["policy"], request, completion)
        read = [request.prompt + completion.tokens[:t] for t in range(len(rows))]
        both = zip(rows, read, strict=True)
        return torch.cat([proxy(row[None], lambda v, r=r: after(r, v), top_k=3, most=2) for row, r in both]).detach()

    check(asked, made, scores)


def test_too_many_candidates_are_an_error():
    with pytest.raises(ConfigError, match="between 1 and 8, not 9"):
        proxy(CHANCES.log(), lambda tokens: tokens.double(), top_k=9)
