from functools import partial

import pytest
import torch

from posttrain.catalogue.index import load_decoder
from posttrain.errors import ModelError
from posttrain.sampling.decoders.value_guided import value_guided
from tests.harness.enumerated import Tabular, kl_optimum, variation
from tests.models.tiny import network
from tests.sampling.decoders.drawn import check, drawn, logits, outputs, requests

POLICY = torch.tensor([[0.5, 0.3, 0.2]]).log()


def test_golden():
    """Of the two likeliest tokens with values 0 and 1, β = 0.5: weights 0.5 and 0.3 e²."""
    weights = value_guided(POLICY, lambda tokens: tokens.double(), top_k=2, beta=0.5).softmax(-1)[0].tolist()
    other = 0.3 * 7.389056099
    assert weights == pytest.approx([0.5 / (0.5 + other), other / (0.5 + other), 0])


def test_with_the_soft_values_whole_answers_follow_the_tilted_distribution():
    """By enumeration: V(s) = β log E[e^{r/β} | s], every token a candidate."""
    model, beta = Tabular(3, 3, seed=4), 0.7
    reward = torch.linspace(-1, 1.5, len(model.answers))[
        torch.randperm(len(model.answers), generator=torch.Generator().manual_seed(0))
    ]
    chances = model.distribution()

    def value(prefix):
        inside = [i for i, a in enumerate(model.answers) if a[: len(prefix)] == prefix]
        return beta * float((chances[inside] / chances[inside].sum() * (reward[inside] / beta).exp()).sum().log())

    def after(prefix, tokens):
        return torch.tensor([[value((*prefix, t)) for t in tokens[0].tolist()]])

    decoded = Tabular(3, 3)
    for prefix in (p for p in model.prefixes if 0 not in p):
        place = model.place[prefix]
        decoded.logits.data[place] = value_guided(model.logits[[place]], partial(after, prefix), beta=beta)[0].detach()
    assert variation(decoded.distribution(), kl_optimum(chances, reward, beta)) < 1e-6
    assert variation(chances, kl_optimum(chances, reward, beta)) > 0.1


def with_value(seed, head="value"):
    net = network(seed=seed)
    net.add_head(head, seed=3)
    return net


@pytest.mark.parametrize("head", ["value", "score"])
def test_what_is_drawn_and_recorded_is_guided_by_the_value_behind_each_candidate(head):
    networks, asked = {"policy": network(seed=1), "critic": with_value(2, head)}, requests(3, max_tokens=3)
    made = drawn(networks, load_decoder("value_guided", {"top_k": 3, "beta": 0.2}), asked)

    def after(read, candidates):
        states = [outputs(networks["critic"], (*read, v), "hidden")[0][-1:] for v in candidates[0].tolist()]
        return torch.stack([networks["critic"].head(head, s) for s in states], -1)

    def scores(request, completion):
        rows = logits(networks["policy"], request, completion)
        read = [request.prompt + completion.tokens[:t] for t in range(len(rows))]
        guided = [
            value_guided(row[None], partial(after, r), top_k=3, beta=0.2) for row, r in zip(rows, read, strict=True)
        ]
        return torch.cat(guided).detach()

    check(asked, made, scores)


def test_a_model_without_a_value_is_an_error():
    with pytest.raises(ModelError, match="neither a value head nor a score head"):
        drawn({"policy": network(), "critic": network()}, load_decoder("value_guided"), requests())
