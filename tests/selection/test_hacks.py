"""Answers that a reward model prefers and what it stands for does not."""

from dataclasses import replace

import pytest

from posttrain.records import Episode, Prompt
from posttrain.selection.hacks import exploited

pytestmark = pytest.mark.paper("002:InternLM2 / COOL RLHF")


def answers(prompt, *rewards):
    asked = Prompt(prompt, f"q{prompt}")
    return [
        Episode.of_answer(asked, 0, i, (1,), (97 + i,), (-1.0,), True, text="abcd"[i], reward=x)
        for i, x in enumerate(rewards)
    ]


def found(judged, scores):
    proxies = [replace(e, reward=x) for e, x in zip(judged, scores, strict=True)]
    return [(p.prompt, p.chosen.text, p.rejected.text) for p in exploited(judged, proxies)]


def test_the_best_answer_is_preferred_to_the_favourite_of_the_model():
    judged = [*answers(1, 0.9, 0.1, 0.5), *answers(2, 0.3, 0.7)]
    assert found(judged, [0.0, 3.0, 1.0, 1.0, 2.0]) == [("q1", "a", "b")]  # they agree about the second question
    assert found(judged, [0.0, 1.0, 3.0, 2.0, 1.0]) == [("q1", "a", "c"), ("q2", "b", "a")]


def test_equal_rewards_are_no_exploit_and_what_nobody_judged_is_left_out():
    assert found(answers(1, 0.5, 0.5), [0.0, 1.0]) == []
    judged = [*answers(1, None, 0.4, 0.6), *answers(2, None)]
    assert found(judged, [9.0, 2.0, 1.0, 0.0]) == [("q1", "c", "b")]
    assert found(answers(1, 0.2, 0.4, 0.6), [None, 2.0, 1.0]) == [("q1", "c", "b")]
    assert found(answers(1, 0.2, 0.4), [None, None]) == []
