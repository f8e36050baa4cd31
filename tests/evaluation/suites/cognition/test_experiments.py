"""Scripted participants whose behaviour is known are recognised by every experiment."""

from __future__ import annotations

import math

import pytest

from posttrain.evaluation.suites.cognition import restless_bandit as restless
from posttrain.evaluation.suites.cognition import two_step as two
from posttrain.evaluation.suites.cognition.balloon import balloon
from posttrain.evaluation.suites.cognition.horizon import horizon
from posttrain.evaluation.suites.cognition.instrumental_learning import instrumental_learning, played
from posttrain.evaluation.suites.cognition.probabilistic_reasoning import bayes, logit, probabilistic_reasoning
from posttrain.evaluation.suites.cognition.replies import drawn, letter, number
from posttrain.evaluation.suites.cognition.temporal_discounting import LATER, temporal_discounting
from tests.evaluation.scripted import answered

pytestmark = pytest.mark.paper("codaforno20242yf")


def numbers(suite, say):
    return {n: x.mean for n, x in answered(suite, say).numbers.items()}


def chance(item, *names):
    return "FJ"[int(drawn("chance", item.prompt.id, len(item.replies), *names) < 0.5)]


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def test_bayes_rule_weighs_prior_and_likelihood_by_one():
    found = numbers(probabilistic_reasoning(), lambda item, _: f"{bayes(item):.6f}")
    assert found == pytest.approx({"error": 0, "prior_weight": 1, "likelihood_weight": 1}, abs=1e-4)


def test_who_neglects_the_prior_is_recognised():
    found = numbers(probabilistic_reasoning(), lambda item, _: f"{item['likelihood']:.6f}")
    assert (found["prior_weight"], found["likelihood_weight"]) == pytest.approx((0, 1), abs=1e-4)
    conservative = numbers(probabilistic_reasoning(), lambda item, _: f"{sigmoid(0.5 * logit(bayes(item))):.6f}")
    assert (conservative["prior_weight"], conservative["likelihood_weight"]) == pytest.approx((0.5, 0.5), abs=0.02)


def test_who_seeks_information_when_it_can_still_be_used_explores_directedly():
    def explorer(item, _):
        return "F" if item["difference"] / 10 + 3 * item["less"] * item["far"] > 0 else "J"

    found, never = numbers(horizon(), explorer), numbers(horizon(), lambda i, _: "FJ"[i["difference"] < 0])
    assert found["directed"] > 1.5
    assert never["directed"] == never["random"] == 0.0
    assert never["best"] == 1.0


def test_who_chooses_by_chance_when_many_rounds_are_left_explores_randomly():
    found = numbers(horizon(), lambda i, _: chance(i) if i["far"] else "FJ"[i["difference"] < 0])
    assert found["random"] > 1
    assert abs(found["directed"]) < 0.5


def test_who_always_knows_scores_1_and_who_says_one_half_three_quarters():
    def knows(item, _):
        t, game = len(item.replies), item.prompt.id
        return "F 1" if restless.points(game, "F", t) > restless.points(game, "J", t) else "J: 1.0"

    assert numbers(restless.restless_bandit(), knows) == {"qsr": 1.0, "best": 1.0}
    assert numbers(restless.restless_bandit(), lambda *_: "F 0.5")["qsr"] == 0.75
    assert numbers(restless.restless_bandit(games=1), lambda *_: "F") == {}  # without a number there is no score


@pytest.mark.parametrize(("positive", "negative", "sign"), [(0.7, 0.1, 1), (0.1, 0.7, -1)])
def test_an_optimist_learns_more_from_good_news(positive, negative, sign):
    def learner(item, _):
        q = [0.5, 0.5]
        for choice, reward in played(item):
            q[choice] += (positive if reward > q[choice] else negative) * (reward - q[choice])
        return "FJ"[int(drawn("learner", item.prompt.id, len(item.replies)) > sigmoid(5 * (q[0] - q[1])))]

    found = numbers(instrumental_learning(games=16, rounds=20), learner)
    assert sign * found["optimism"] > 0.2
    assert 0.1 < found["learning_rate"] < 0.7


def stays(item, model_based):
    """Stay after treasure (model-free), or after treasure where it is usual and nothing where it is not."""
    if not item.replies:
        return chance(item)
    _, usual, treasure = two.day(item.prompt.id, len(item.replies) - 1, item.answer)
    stay = (treasure == usual) if model_based else treasure
    return item.answer if stay else "FJ"[item.answer == "F"]


def test_model_based_and_model_free_participants_are_told_apart():
    suite = two.two_step(games=8)
    based, free = (numbers(suite, lambda i, _, b=b: stays(i, b)) for b in (True, False))
    assert based["model_based"] > 1.5
    assert free["model_free"] > 1.5
    assert abs(based["model_free"]) < 0.3 > abs(free["model_based"])
    by_chance = numbers(suite, lambda i, _: chance(i, "two"))
    assert abs(by_chance["model_based"]) < 0.5 > abs(by_chance["model_free"])


@pytest.mark.parametrize(("k", "sooner"), [(0.0, 0.0), (10.0, 1.0), (0.01, None)])
def test_the_rate_of_discounting_is_recovered(k, sooner):
    def chooses(item, _):
        now = item["now"] > LATER / (1 + k * item["days"])
        return item["sooner"] if now else "FJ"[item["sooner"] == "F"]

    found = numbers(temporal_discounting(), chooses)
    assert found["k"] == k
    assert sooner is None or found["sooner"] == pytest.approx(sooner, abs=0.2)


def test_the_risk_is_the_number_of_pumps_at_balloons_that_hold():
    cautious = numbers(balloon(), lambda i, _: "cash" if len(i.replies) == 1 else "Pump!")
    bold = answered(balloon(balloons=40), lambda i, _: "cash" if len(i.replies) == 8 else "pump")
    assert cautious["risk"] == 1.0
    assert bold.numbers["risk"].mean == 8.0
    assert 10 < bold.numbers["risk"].n < 30  # about half burst before
    assert numbers(balloon(), lambda *_: "cash") == {"risk": 0.0, "earned": 0.0}
    assert numbers(balloon(), lambda *_: "hm") == {}  # who cannot be read is not cautious
    assert numbers(balloon(balloons=1), lambda *_: "pump") == {"earned": 0.0}
    for item in answered(balloon(), lambda *_: "pump").items:
        assert len(item.replies) <= 16  # every balloon bursts


def test_replies_are_read_strictly():
    assert letter("I choose J, not F") == "J"
    assert letter("Fine, join") is None
    assert [number(x) for x in ("about 30%", ".5", "0.25 or so", "7", "none")] == ["0.3", "0.5", "0.25", None, None]
