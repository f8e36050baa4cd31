"""Rewards that read whole conversations, and those that are called once for a whole batch."""

from __future__ import annotations

import threading
import time

import pytest

from posttrain.errors import RewardError
from posttrain.records import Episode, Prompt
from posttrain.rewards.reward import Reward
from posttrain.rewards.scorer import Scorer

TALK = ({"role": "system", "content": "Be brief."}, {"role": "user", "content": "2 + 2?"})


def episodes(*prompts: object) -> list[Episode]:
    """Two answers, `a` and `bb`, to each prompt."""
    return [
        Episode.of_answer(Prompt(i, prompt), 0, k, (1,), (2,), (0.0,), True, text)
        for i, prompt in enumerate(prompts)
        for k, text in enumerate(("a", "bb"))
    ]


def messages(completions, conversations):
    """Count the messages, and check that the last one is the completion."""
    assert [c[-1]["content"] for c in conversations] == completions
    assert {c[-1]["role"] for c in conversations} == {"assistant"}
    return [float(len(c)) for c in conversations]


@pytest.mark.parametrize("in_a_worker", [True, False])
def test_a_function_gets_whole_conversations_where_it_names_them(in_a_worker):
    function = messages if in_a_worker else lambda completions, conversations: messages(completions, conversations)
    reward = Reward("messages", function)
    assert isinstance(reward.function, str) == in_a_worker
    with Scorer([reward]) as scorer:
        assert [e.reward for e in scorer.score(episodes(TALK, "2 + 2?"))] == [3.0, 3.0, 2.0, 2.0]


def test_any_columns_do_not_include_conversations():
    def names(completions, **columns):
        return [float("conversations" in columns)] * len(completions)

    with Scorer([Reward("names", names)]) as scorer:
        assert [e.reward for e in scorer.score(episodes("x"))] == [0.0, 0.0]


def test_a_whole_batch_is_one_call_in_this_thread_without_a_deadline():
    calls, ones = [], [1.0, 1.0]

    def slow(completions):
        calls.append((len(completions), threading.current_thread()))
        time.sleep(0.2)
        return [float(len(text)) for text in completions]

    with Scorer([Reward("slow", slow, whole_batch=True), Reward("one", lambda completions: ones)], timeout=0.05) as s:
        assert [e.reward for e in s.score(episodes("x", "y", "z"))] == [2.0, 3.0] * 3
        assert s.metrics()["rewards/slow/mean"] == 1.5
    assert calls == [(6, threading.current_thread())]


def test_a_function_of_a_module_stays_in_this_process_with_whole_batch():
    reward = Reward("messages", messages, whole_batch=True)
    assert reward.function is messages
    with Scorer([reward]) as scorer:
        scorer.start(batch := episodes("x"))
        assert [e.reward for e in scorer.score(batch)] == [2.0, 2.0]


def test_a_batch_that_fails_is_tried_one_by_one():
    def fragile(completions):
        if "bb" in completions:
            raise ValueError("too long")
        return [1.0] * len(completions)

    reward = Reward("fragile", fragile, whole_batch=True)
    with Scorer([reward], max_error_rate=0.5) as scorer:
        assert [e.reward for e in scorer.score(episodes("x", "y"))] == [1.0, None, 1.0, None]
    with Scorer([reward], max_error_rate=0.25) as scorer, pytest.raises(RewardError, match="too long"):
        scorer.score(episodes("x", "y"))
