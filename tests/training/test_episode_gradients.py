"""What an episode of several turns teaches: an independent gradient, and what the environment wrote left out of it."""

from __future__ import annotations

from dataclasses import replace
from statistics import fmean, stdev

import pytest
import torch

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from posttrain.core.batch import Batch
from posttrain.data.collate import collate, episode_rows
from posttrain.records import Episode, Prompt, Segment
from tests.harness.generated import trained
from tests.harness.networks import TinyNet
from tests.harness.numbers import Lookup

pytestmark = pytest.mark.usefixtures("float64")
GRPO = configure(load("online/grpo"), {"kl.weight": 0})


def episode(group: int, sample: int, reward: float, *segments: tuple[int, ...], first: int = 0) -> Episode:
    """The policy's turns and the environment's in turn, after a prompt of two tokens."""
    made = [
        Segment(tokens, (-1.0,) * len(tokens) if i % 2 == 0 else None, 0 if i % 2 == 0 else None)
        for i, tokens in enumerate(segments)
    ]
    return Episode(Prompt(group, "?"), 0, sample, (first, first + 1), tuple(made), reward)


EPISODES = (
    episode(1, 0, 1.0, (3, 4), (5,), (6, 7, 1), (2, 2), (5,)),  # three turns
    episode(1, 1, -0.5, (3,)),
    episode(2, 0, 0.0, (4, 4), (1,), (7,)),
    episode(2, 1, 2.0, (6,), (3, 3), (2,), (5,), (1, 1)),
)
WRITTEN = 14  # tokens of the policy


def batch(episodes: tuple[Episode, ...]) -> Batch:
    rows = [row for e in episodes for row in episode_rows(e, train=True, temperature=1.0, step=0)]
    return collate(rows, scalars={"max_tokens": 8.0})


def by_hand(net: TinyNet) -> torch.Tensor:
    """GRPO's loss of on-policy tokens: each row is the mean over what the policy wrote, weighed by its advantage."""
    losses = []
    for e in EPISODES:
        rewards = [other.reward or 0.0 for other in EPISODES if other.prompt.id == e.prompt.id]
        advantage = ((e.reward or 0.0) - fmean(rewards)) / (stdev(rewards) + 1e-6)
        tokens = [*e.prompt_tokens, *e.tokens]
        logp = net.lm(net.hidden(torch.tensor([tokens])))[0].log_softmax(-1)
        place, own = len(e.prompt_tokens), []
        for s in e.segments:
            own += [logp[place + k - 1, t] for k, t in enumerate(s.tokens) if s.author is not None]
            place += len(s.tokens)
        losses.append(-advantage * torch.stack(own).mean())
    return torch.stack(losses).mean()


def test_the_gradient_is_an_independent_one() -> None:
    """Members of a group have different numbers of turns; the cut into micro-batches does not matter."""
    net = TinyNet(0)
    by_hand(net).backward()
    for tokens in (10**6, 12):
        _, learner, _ = trained(GRPO, {"main": batch(EPISODES)}, {"policy": TinyNet(0)}, tokens=tokens)
        for name, p in net.named_parameters():
            wanted = torch.zeros_like(p) if p.grad is None else p.grad
            assert torch.allclose(learner.gradients[0][f"policy.{name}"], wanted, rtol=0, atol=1e-10), name


def numbered(observed: int) -> tuple[Episode, ...]:
    """The same shapes with an id of its own for every token; those that the environment wrote begin at `observed`."""
    ids, others, made = iter(range(100)), iter(range(observed, 999)), []
    for e in EPISODES:
        prompt = (next(others), next(others))
        tokens = [tuple(next(others if s.logp is None else ids) for _ in s.tokens) for s in e.segments]
        segments = tuple(replace(s, tokens=t) for s, t in zip(e.segments, tokens, strict=True))
        made.append(replace(e, prompt_tokens=prompt, segments=segments))
    return tuple(made)


def tables() -> dict[str, Lookup]:
    """A model whose numbers depend on the token alone."""
    generator = torch.Generator().manual_seed(1)
    return {"policy": Lookup({n: -torch.rand(1000, generator=generator) for n in ("logp", "entropy")})}


def test_observations_get_no_gradient_and_change_no_loss() -> None:
    (one, learner, _), (other, changed, _) = (
        trained(GRPO, {"main": batch(numbered(start))}, tables()) for start in (100, 500)
    )
    gradient = learner.gradients[0]["policy.tables.logp"]
    assert (gradient[100:] == 0).all()
    assert (gradient[:WRITTEN].abs() > 1e-3).all()
    assert one == other
    assert torch.equal(gradient[:100], changed.gradients[0]["policy.tables.logp"][:100])
