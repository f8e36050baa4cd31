"""Episodes of edits with an editor that always does the same."""

import pytest
import torch

from posttrain.search.prompts.edits import FewShot, edits
from posttrain.search.prompts.playing import edited, played

pytestmark = pytest.mark.paper("002:TEMPERA")
FIRST, CHOICES = FewShot.first(3, 2, 0), edits(3, 2, 1, 0)
QUERIES = torch.tensor([[0.0], [1.0]])


def editor(views):
    """For the first query it exchanges examples 0 and 1 until they are exchanged; for the other one it goes on."""
    goes_on = (views.queries[:, 0] > 0) | (views.examples[:, 0] == 0)
    logp = torch.full((len(goes_on), len(CHOICES)), -99.0).scatter(1, goes_on[:, None].long(), 0.0)
    return logp.log_softmax(1), views.queries[:, 0]


def score(step, prompts):
    return [10.0 * p.order[0] + step for p in prompts]


def run(horizon):
    return played(editor, CHOICES, FIRST, QUERIES, horizon, score, lambda t: [0.5, 0.5])


def test_an_episode_ends_where_the_editor_stops_or_at_the_horizon():
    prompts, rollout = run(3)
    assert [p.order[:2] for p in prompts] == [(1, 0), (1, 0)]
    assert rollout.alive.tolist() == [[True, True], [True, True], [False, True]]
    assert rollout.actions.tolist() == [[1, 1], [0, 1], [0, 1]]
    assert rollout.values.tolist() == [[0, 1]] * 3
    assert rollout.logp.abs().max() < 1e-6


def test_the_rewards_of_edits_telescope():
    prompts, rollout = run(3)
    first, last = score(0, [FIRST] * 2), score(3, prompts)
    gained = [b - a for a, b in zip(first, last, strict=True)]
    assert rollout.rewards.sum(0).tolist() == pytest.approx(gained, abs=1e-6)


def test_nobody_edits_what_has_ended():
    prompts, rollout = played(editor, CHOICES, FIRST, QUERIES[:1], 8, score, lambda t: [0.5])
    assert len(rollout.rewards) == 2
    assert prompts[0].order[:2] == (1, 0)


def test_without_edits_it_is_the_first_prompt():
    assert edited(editor, CHOICES, FIRST, QUERIES, 0) == [FIRST, FIRST]


def test_in_use_the_likeliest_edits_are_done_and_nothing_is_scored():
    assert [p.order[:2] for p in edited(editor, CHOICES, FIRST, QUERIES, 2)] == [(1, 0), (0, 1)]
    assert [p.order[:2] for p in edited(editor, CHOICES, FIRST, QUERIES, 3)] == [(1, 0), (1, 0)]
