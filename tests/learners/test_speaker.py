"""The scripted speaker is right as often as it says, and says the same to the same question."""

from __future__ import annotations

import pytest

from posttrain.errors import ConfigError
from posttrain.learners.speaker import Question, Scripted

MANY = [Question(f"Is {i} even?", ("yes", "no"), "yes" if i % 2 == 0 else "no") for i in range(1000)]


@pytest.mark.parametrize("accuracy", [0.0, 0.5, 0.8, 1.0])
def test_it_is_right_as_often_as_it_says(accuracy):
    said = Scripted(accuracy, 1).answer(MANY)
    right = sum(a == q.truth for a, q in zip(said, MANY, strict=True)) / 1000
    assert right == pytest.approx(accuracy, abs=0.0 if accuracy in (0, 1) else 0.06)


def test_the_same_question_gets_the_same_answer_and_another_seed_other_mistakes():
    one, again, other = (Scripted(0.5, seed).answer(MANY) for seed in (1, 1, 2))
    assert one == again
    assert one != other
    assert Scripted(0.5, 1).answer(MANY[500:]) == one[500:]


def test_probabilities_belong_to_what_it_says():
    said = Scripted(0.7, 1).answer(MANY[:50])
    for p, answer, q in zip(Scripted(0.7, 1).probabilities(MANY[:50]), said, MANY[:50], strict=True):
        assert p[q.options.index(answer)] == 0.7
        assert sum(p) == pytest.approx(1)
    three = Question("?", ("a", "b", "c"), "b")
    assert Scripted(1.0).probabilities([three]) == [(0.0, 1.0, 0.0)]
    assert Scripted(0.5).probabilities([Question("?", ("only",), "only")]) == [(1.0,)]


def test_free_texts_are_the_truth_or_what_may_be_said_wrongly():
    question = Question("Name a fruit.", (), "apple", ("stone", "brick"))
    assert Scripted(1.0).answer([question]) == ["apple"]
    assert Scripted(0.0).answer([question])[0] in ("stone", "brick")


def test_another_draw_may_be_another_answer():
    said = Scripted(0.5).answer([Question("Name a fruit.", (), "apple", ("stone",), draw=n) for n in range(100)])
    assert 30 < said.count("apple") < 70


def test_it_knows_only_what_somebody_has_told_it():
    with pytest.raises(ConfigError, match="nothing says what the truth is"):
        Scripted(1.0).answer([Question("What is love?")])
