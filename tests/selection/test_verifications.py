"""Requests to verify answers."""

from __future__ import annotations

import pytest

from posttrain.records import Prompt
from posttrain.selection.answers import identity
from posttrain.selection.verifications import requests
from tests.harness.scripted_session import episode

pytestmark = pytest.mark.paper("liu20251xv")

CHAT = ({"role": "system", "content": "be kind"}, {"role": "user", "content": "2+2?"})
SUM, OTHER = Prompt(3, "1+1?", {"answer": "2", "level": 5}, "f:1"), Prompt(4, CHAT, {"answer": "4"}, "f:2")
ANSWERS = [
    episode(SUM, "{question}", 0.5),
    episode(SUM, "2", 0.75, sample=1),
    episode(OTHER, "4", 1.0),
    episode(SUM, "9", 0.0, sample=2),
]


def made(count, threshold=0.5):
    return requests(ANSWERS, count, "{question} = {answer}? {x}", "answer", threshold)


def test_the_verdict_is_in_the_column_and_the_rest_is_that_of_the_prompt():
    first, second, chat = made(2)
    assert first == Prompt(identity(ANSWERS[0]), "1+1? = {question}? {x}", {"answer": "0", "level": 5}, "f:1")
    assert second == Prompt(identity(ANSWERS[1]), "1+1? = 2? {x}", {"answer": "1", "level": 5}, "f:1")
    asked = ({"role": "user", "content": "2+2? = 4? {x}"},)
    assert chat == Prompt(identity(ANSWERS[2]), asked, {"answer": "1"}, "f:2")


def test_the_first_answers_of_each_prompt_and_a_reward_must_exceed_the_threshold():
    assert [r.columns["answer"] for r in made(1)] == ["0", "1"]
    assert len(made(9)) == 4
    assert made(0) == []
    assert [r.columns["answer"] for r in made(9, threshold=-0.1)] == ["1"] * 4
    assert len({r.id for r in made(9)}) == 4
