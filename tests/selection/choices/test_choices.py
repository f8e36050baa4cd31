"""Which of several answers is given: golden numbers, ends, and the distribution that rejection reaches."""

from __future__ import annotations

import math
import random
from collections import Counter

import pytest

from posttrain.catalogue import index as catalogue
from posttrain.core.choice import Choice
from posttrain.errors import ConfigError
from posttrain.selection.choices.best_of_n import best_of_n
from posttrain.selection.choices.mbr import mbr
from posttrain.selection.choices.rejection import rejection
from posttrain.selection.choices.weighted_vote import weighted_vote
from tests.harness.settings import problems


@pytest.mark.parametrize("name", catalogue.choices())
def test_every_choice_has_its_lines_and_gives_the_only_answer(name: str) -> None:
    choice = catalogue.load_choice(name, {"n": 1})
    assert not problems(choice.function)
    assert choice(rewards=[-3.0], uniforms=[0.9], agreement=[[0.0]], finals=["12"]) == 0
    assert choice.kl_bound == 0
    assert catalogue.load_choice(name, {"n": 8}).kl_bound <= math.log(8)


def test_the_bound_of_the_best_of_n_is_reached_where_no_rewards_are_equal() -> None:
    """Exactly, of 400 equally likely answers: P(best = k) = (k/400)^n - ((k - 1)/400)^n."""
    best = [((k + 1) / 400) ** 4 - (k / 400) ** 4 for k in range(400)]
    kl = sum(p * math.log(p * 400) for p in best)
    bound = catalogue.load_choice("best_of_n", {"n": 4}).kl_bound
    assert 0 < bound - kl < 0.01
    assert catalogue.load_choice("rejection", {"n": 4}).kl_bound == pytest.approx(math.log(4))


def test_the_best_answer_and_of_equal_ones_the_first() -> None:
    assert best_of_n([0.1, 0.9, 0.9, -2.0]) == 1


@pytest.mark.paper("liu20251xv")
def test_votes_weigh_what_the_model_says_of_them() -> None:
    """Two votes of 0.2 and one of 0.3: the sum decides, and neither the best answer nor the most frequent one."""
    assert weighted_vote([0.3, 0.2, 0.2, 0.1], ["a", "b", "b", "c"]) == 1
    assert weighted_vote([0.5, 0.2, 0.2, 0.1], ["a", "b", "b", "c"]) == 0
    assert weighted_vote([1.0, 1.0, 1.0], ["a", "b", "b"]) == 1  # the majority
    assert weighted_vote([0.5, 0.25, 0.25], ["a", "b", "b"]) == 0  # of equal sums the first
    assert weighted_vote([-1.0, -0.5, -1.0], ["a", "b", "b"]) == 0
    assert catalogue.load_choice("weighted_vote", {"n": 4}).kl_bound == pytest.approx(math.log(4))


@pytest.mark.parametrize(("uniform", "place"), [(0.36, 0), (0.37, 1)])
def test_golden_rejection(uniform: float, place: int) -> None:
    """The first of rewards 0 and 1 is accepted with probability exp(-1/β) = 0.3679 of β = 1, the best always."""
    assert rejection([0.0, 1.0], [uniform, 0.999], beta=1.0) == place


def test_rejection_lies_between_the_best_and_the_first() -> None:
    rewards, uniforms = [0.2, 0.1, 0.7, 0.3], [0.5] * 4
    assert rejection(rewards, uniforms, beta=1e-3) == best_of_n(rewards)
    assert rejection(rewards, uniforms, beta=1e3) == 0


def test_rejection_reaches_the_tilted_distribution() -> None:
    """Of three answers with probabilities π and rewards r: π e^{r/β} / Z, once the best is among those drawn."""
    random_numbers, pi, reward, beta, n = random.Random(0), [0.5, 0.3, 0.2], [0.0, 1.0, 0.5], 0.5, 30
    counts: Counter[int] = Counter()
    for _ in range(4000):
        answers = random_numbers.choices(range(3), pi, k=n)
        uniforms = [random_numbers.random() for _ in answers]
        counts[answers[rejection([reward[a] for a in answers], uniforms, beta=beta)]] += 1
    weights = [p * math.exp(r / beta) for p, r in zip(pi, reward, strict=True)]
    for i, weight in enumerate(weights):
        assert counts[i] / 4000 == pytest.approx(weight / sum(weights), abs=0.03)


@pytest.mark.paper("ramos20236pc")
class TestMinimumBayesRisk:
    def test_golden(self) -> None:
        """Mean agreements 0.6, 0.7 and 0.6; as references, the columns, all would be 0.63."""
        assert mbr([[1.0, 0.5, 0.3], [0.6, 1.0, 0.5], [0.3, 0.4, 1.1]]) == 1

    def test_equal_texts_make_it_a_vote(self) -> None:
        texts = ["4", "5", "5", "7", "5", "4"]
        assert texts[mbr([[float(a == b) for b in texts] for a in texts])] == "5"

    def test_the_mean_agreement_is_of_the_answer_with_the_references(self) -> None:
        """u(0, 1) = 1 and u(1, 0) = 0: the first covers the second."""
        assert mbr([[1.0, 1.0], [0.0, 1.0]]) == 0
        assert mbr([[1.0, 0.0], [1.0, 1.0]]) == 1


def test_a_choice_without_a_number_is_an_error(tmp_path) -> None:
    file = tmp_path / "first.py"
    file.write_text("def first(rewards):\n    return 0\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="n, the number of answers"):
        catalogue.load_choice(str(file))
    with pytest.raises(ConfigError, match="no choice 'mbrr'.*did you mean 'mbr'"):
        catalogue.load_choice("mbrr")
    assert Choice("mbr", mbr).compares
    assert not Choice("best_of_n", best_of_n).compares
