"""Labels as rewards: a right speaker is the true reward, noise is affine, and what cannot be read is no label."""

from __future__ import annotations

from dataclasses import replace
from statistics import fmean

import numpy as np
import pytest

from posttrain.learners.guides.proxy import Proxy, Unrewarded, reached
from posttrain.learners.q_learning import Hooks, Settings, Transition, q_learning
from posttrain.learners.speaker import Scripted
from posttrain.learners.value_iteration import value_iteration
from posttrain.learners.worlds.chain import Chain
from posttrain.learners.worlds.matrix_game import MatrixGame, Played

pytestmark = pytest.mark.paper("002:GPT-3 proxy reward")
GAME = MatrixGame(objective="pareto")
FEW = Settings(episodes=40, explore=0.3)


def end(action: int, reward: float) -> Transition:
    one, other = GAME.actions[action].split()
    return Transition(Played(), action, reward, Played(one, other), True, 0, 0)


class Says:
    def __init__(self, *said):
        self.said, self.questions = list(said), []

    def answer(self, questions):
        self.questions += questions
        return [self.said.pop(0) for _ in questions]


def test_a_right_speaker_is_the_true_reward_and_the_world_s_own_is_hidden():
    proxy, table = Proxy(GAME, Scripted(1.0)), GAME.table()
    for a in range(4):
        own = float(table.R[0, a])
        assert own + proxy(end(a, own)) == own
        assert own + Unrewarded()(end(a, own)) == 0.0
    assert proxy(Transition(0, 0, 0.25, 1, False, 0, 0)) == -0.25
    assert proxy.report() == {"labels/read": 1.0, "labels/right": 1.0}


@pytest.mark.parametrize("wrong", [0.1, 0.4, 0.6])
def test_noise_is_affine_and_keeps_the_best_policy_below_a_half(wrong):
    """E[R] = (1 - 2e) R + e: the mean over speakers, and what value iteration makes of it."""
    table, seeds = GAME.table(), range(400)
    means = [
        fmean(Proxy(GAME, Scripted(1 - wrong, s)).label(end(a, 0).after, good=a != 3) for s in seeds) for a in range(4)
    ]
    expected = (1 - 2 * wrong) * table.R[0] + wrong
    assert means == pytest.approx(expected, abs=0.08)
    noisy = replace(table, R=np.where(table.terminal[:, None], 0.0, (1 - 2 * wrong) * table.R + wrong))
    same = (value_iteration(noisy).policy[0] == value_iteration(table).policy[0]).all()
    assert same == (wrong < 0.5)


def test_what_cannot_be_read_is_no_label_and_nothing_is_learned_from_it():
    proxy = Proxy(GAME, Says("no", None))
    assert proxy(end(0, 1.0)) == -1.0
    assert proxy(end(1, 1.0)) is None
    assert proxy(end(1, 1.0)) is None  # asked once
    silent = q_learning(GAME, 0, FEW, Hooks(extras=[Proxy(GAME, Says(*[None] * 4))]))
    assert silent.q[Played()] == [0.0] * 4
    half = Proxy(GAME, Says("yes", None, "no", "no"))
    assert half.report() == {"labels/read": 0.75, "labels/right": pytest.approx(2 / 3)}
    assert np.isnan(Proxy(GAME, Says(*[None] * 4)).report()["labels/right"])


def test_a_question_names_the_objective_the_examples_and_what_happened():
    says = Says("yes")
    Proxy(GAME, says, objective="be kind", examples="They shared: yes").label(Played("A", "B"), good=True)
    (asked,) = says.questions
    assert asked.text.splitlines() == [
        "The objective: be kind.",
        "They shared: yes",
        f"What happened: {GAME.describe(Played('A', 'B'))}",
        "Was the objective met?",
    ]
    assert (asked.options, asked.truth) == (("yes", "no"), "yes")
    assert GAME.goal in Proxy(GAME, says).question(Played("A", "A"), good=False).text


def test_a_learner_reaches_the_objective_through_labels_alone():
    learned = q_learning(GAME, 1, FEW, Hooks(extras=[Proxy(GAME, Scripted(1.0))]))
    assert reached(GAME, learned) == 1.0
    assert reached(GAME, q_learning(GAME, 1, FEW, Hooks(extras=[Proxy(GAME, Scripted(0.0))]))) == 0.0


def test_what_is_reached_is_a_share_of_the_best():
    chain = Chain(length=4, slip=0.0)
    learned = q_learning(chain, 0, Settings(episodes=0))
    even = reached(chain, learned)  # it acts at random
    assert 0 < even < 1
    learned.q = {s: [0.0, 1.0] for s in range(3)}
    assert reached(chain, learned) == pytest.approx(1.0)
