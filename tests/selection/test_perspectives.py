"""Several policies in one conversation: each is credited with its own reward, and shared weights learn from all."""

import pytest
import torch

from posttrain.catalogue.index import load
from posttrain.core.method import variant
from posttrain.data.collate import collate, episode_rows
from posttrain.records import Episode, Prompt, Segment
from posttrain.selection.perspectives import perspectives
from tests.harness import generated

REINFORCE, GRPO = (variant(load(f"online/{name}"), metrics={}) for name in ("reinforce", "grpo"))


def talk(sample, *, number=1):
    """Two tokens of agent 0, one of the environment, two of agent 1, one of agent 0 again."""
    said = [(0, (3, 4)), (None, (5,)), (1, (6, 2)), (0, (1,))]
    segments = tuple(
        Segment(tokens, None if author is None else (-1.0,) * len(tokens), author, "ab") for author, tokens in said
    )
    return Episode(Prompt(number, "?"), 0, sample, (1, 2), segments)


def batch(*episodes):
    wanted = {"turn", "conversation"}
    return collate(
        [r for e in episodes for r in episode_rows(e, train=True, temperature=1.0, step=0, wanted=wanted)],
        scalars={"max_tokens": 8.0},
    )


def test_golden_an_agent_is_trained_on_its_own_turns_with_its_own_reward():
    one, other = perspectives(talk(0), {0: 1.0, 1: -2.0})
    assert [s.trained for s in one.segments] == [True, False, False, True]
    assert [s.trained for s in other.segments] == [False, False, True, False]
    assert (one.author, one.reward, other.author, other.reward) == (0, 1.0, 1, -2.0)
    assert one.tokens == other.tokens == talk(0).tokens
    assert perspectives(talk(0), {1: 3.0})[0].prompt == other.prompt


def test_golden_agents_are_compared_with_themselves_alone():
    ids = {e.prompt.id for n in (1, 2) for e in perspectives(talk(0, number=n), {0: 1.0, 1: 2.0})}
    assert len(ids) == 4
    assert perspectives(talk(0), {0: 1.0})[0].prompt.id == perspectives(talk(1), {0: 5.0})[0].prompt.id


def test_a_token_never_gets_the_advantage_of_another_agent():
    """Rewards of agent 0 are 1 and 3, those of agent 1 are 50 and 10: opposite signs, and no number in common."""
    seen = [
        e for sample, r in enumerate([(1.0, 50.0), (3.0, 10.0)]) for e in perspectives(talk(sample), dict(enumerate(r)))
    ]
    data = batch(*seen)
    values = GRPO.derived["advantage"].part(dict(data)).view(4, 8)
    size = 1 / (2**0.5) / (1 + 1e-6 / 2**0.5)
    for row, (own, sign) in enumerate([((2, 3, 7), -1), ((5, 6), 1), ((2, 3, 7), 1), ((5, 6), -1)]):
        expected = torch.zeros(8)
        expected[list(own)] = sign * size
        assert torch.allclose(values[row], expected, atol=1e-5)


@pytest.mark.usefixtures("float64")
def test_shared_weights_add_up_the_gradients_of_all_agents():
    both = perspectives(talk(0), {0: 1.0, 1: -2.0})
    together = batch(*both)
    models = lambda: generated.networks(REINFORCE, {"main": together})  # noqa: E731
    found = [
        generated.trained(REINFORCE, {"main": batch(*some)}, models())[1].gradients[0]
        for some in (both, both[:1], both[1:])
    ]
    for name, gradient in found[0].items():
        assert torch.allclose(2 * gradient, found[1][name] + found[2][name], atol=1e-12)
    assert max(float(g.abs().max()) for g in found[0].values()) > 1e-3
