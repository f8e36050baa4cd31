"""DNO where preferences go in a circle: rock, paper, scissors with odds that are not even."""

from __future__ import annotations

import pytest
import torch

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from posttrain.procedures.games.dno import comparisons, win_rates
from tests.harness.enumerated import Exact, Tabular, batch, variation
from tests.harness.scripted_session import ScriptedSession, episode, prompts
from tests.procedures.transcripts.circles import BEATS, referee

pytestmark = pytest.mark.paper("000:[32]")
MOVES = ("rock", "paper", "scissors")
WINS = torch.tensor(
    [[BEATS.get((a, b), 1 - BEATS.get((b, a), 0.5)) for b in MOVES] for a in MOVES], dtype=torch.float64
)
# In proportion to what the other two win of each other beyond a half: 0.2, 0.4 and 0.1.
EQUILIBRIUM = torch.tensor([2.0, 4.0, 1.0], dtype=torch.float64) / 7


def won_by(counts: tuple[int, int, int]) -> dict[str, float]:
    """The win rate of each move among answers that hold it so often."""
    (asked,) = prompts("x?")
    texts = [move for move, n in zip(MOVES, counts, strict=True) for _ in range(n)]
    answers = [episode(asked, text, None, sample=i) for i, text in enumerate(texts)]
    return {e.text: float(e.reward or 0) for e in win_rates(ScriptedSession(scores=referee), "wins", answers)}


def test_golden_win_rates_are_means_over_the_other_answers():
    """Of 3, 2 and 1: (2 · 0.5 + 2 · 0.4 + 0.9)/5, (3 · 0.6 + 0.5 + 0.3)/5 and (3 · 0.1 + 2 · 0.7)/5."""
    assert won_by((3, 2, 1)) == pytest.approx({"rock": 0.54, "paper": 0.52, "scissors": 0.34})


def test_at_the_equilibrium_every_move_wins_as_often():
    assert (WINS @ EQUILIBRIUM).tolist() == pytest.approx([0.5] * 3)
    assert list(won_by((2, 4, 1)).values()) == pytest.approx([0.5] * 3)


def test_the_pairs_have_both_win_rates():
    (asked,) = prompts("x?")
    answers = [episode(asked, text, None, sample=i) for i, text in enumerate(("scissors", "rock"))]
    (made,) = comparisons(win_rates(ScriptedSession(scores=referee), "wins", answers), 0.5)
    assert (made.columns["chosen_reward"], made.columns["rejected_reward"]) == pytest.approx((0.9, 0.1))


def test_its_rounds_are_multiplicative_weights_whose_mean_is_the_equilibrium():
    """Each ends at π e^{r/η}. They lead around the equilibrium, from which a policy moves no more."""
    policy, reference = Tabular(3, 1, ends=False), Tabular(3, 1, ends=False)
    method = configure(load("preference/dno"), {"eta": 0.5})
    for _ in range(2):
        start = policy.distribution().double()
        reward = WINS @ start
        reference.logits.data = policy.logits.detach().clone()
        made = batch(policy, [(0, 1), (0, 2), (1, 2)], pairs=True, reward=reward)
        run = Exact(method, {"policy": policy, "reference": reference}, {"main": made}, 0.02)
        for _ in range(60):
            run.step({"main": made})
        assert variation(policy.distribution().double(), (start.log() + reward / 0.5).softmax(-1)) < 0.01
    plays = [torch.full_like(EQUILIBRIUM, 1 / 3)]
    for _ in range(2000):
        plays.append((plays[-1].log() + WINS @ plays[-1] / 4).softmax(-1))
    assert variation(torch.stack(plays).mean(0), EQUILIBRIUM) < 0.02
