"""The worst reward of a confidence set."""

import pytest
import torch

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from posttrain.records import Numbers
from tests.harness.numbers import answer, step

pytestmark = pytest.mark.paper("zhang2024esn")

GENERATOR = torch.Generator().manual_seed(0)
FEATURES = torch.randn(6, 3, generator=GENERATOR, dtype=torch.float64)
LEARNT = torch.randn(3, generator=GENERATOR, dtype=torch.float64)
FACTOR = torch.eye(3, dtype=torch.float64) + 0.5 * torch.ones(3, 3, dtype=torch.float64).tril()  # P = C C'


def worst(radius, reward=LEARNT):
    """Rewards of four answers and the references of their two prompts."""
    whitened = torch.linalg.solve_triangular(FACTOR, FEATURES.T, upper=False).T
    authors, groups = [0, 0, 0, 0, 1, 1], [0, 0, 1, 1, 0, 1]
    rows = [
        answer(
            a == 0, logp=[-1.0], ref_logp=[-1.0], group=g, author=a, model_reward=float(e @ reward), doubt=Numbers(z)
        )
        for a, g, e, z in zip(authors, groups, FEATURES, whitened.tolist(), strict=True)
    ]
    return torch.tensor(step(configure(load("online/advpo"), {"radius": radius}), *rows).value("worst_reward")[:4])


def test_without_doubt_it_is_the_reward_over_that_of_the_reference():
    expected = (FEATURES[:4] - FEATURES[[4, 4, 5, 5]]) @ LEARNT
    torch.testing.assert_close(worst(0.0), expected.to(worst(0.0).dtype), rtol=0, atol=1e-6)


def test_no_reward_of_the_confidence_set_gives_the_batch_less():
    shift = FEATURES[:4] - FEATURES[[4, 4, 5, 5]]
    found = float(worst(1.5).double().mean())
    directions = torch.randn(4000, 3, generator=GENERATOR, dtype=torch.float64)
    size = ((directions @ FACTOR) ** 2).sum(1).sqrt()  # |u|_P
    means = (LEARNT + 1.5 * directions / size[:, None]) @ shift.mean(0)
    assert found <= float(means.min()) + 1e-6
    assert found == pytest.approx(float(means.min()), abs=0.02)


def test_a_penalty_on_each_answer_is_more_pessimistic_than_one_on_their_mean():
    shift = FEATURES[:4] - FEATURES[[4, 4, 5, 5]]
    each = torch.linalg.solve_triangular(FACTOR, shift.T, upper=False).norm(dim=0)
    assert float((worst(0.0).double() - each).mean()) < float(worst(1.0).double().mean())
    assert float(worst(2.0).mean()) < float(worst(1.0).mean()) < float(worst(0.0).mean())
