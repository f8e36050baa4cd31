"""TRL's own rewards and verl's, unchanged: the numbers that they give when called directly."""

from __future__ import annotations

import pytest

from posttrain.records import Episode, Prompt
from posttrain.rewards.arguments import arguments
from posttrain.rewards.reward import resolve
from posttrain.rewards.scorer import Scorer
from tests.rewards import faulty

F = "tests.rewards.faulty"
R = "trl.rewards"
ASKED = ({"role": "system", "content": "s"}, {"role": "user", "content": "a half?"})
RIGHT = r"<think>x</think> The answer is $\boxed{\frac{1}{2}}$"
WRONG = r"The answer is $\boxed{\frac{1}{3}}$"


def episodes(*texts, prompt=ASKED, tokens=4, **columns):
    asked = Prompt(0, prompt, columns, where="data.jsonl:1")
    made = [(asked, 0, k, (1,), tuple(range(tokens + k)), (-0.5,) * (tokens + k), True) for k in range(len(texts))]
    return [Episode.of_answer(*row, text=text) for row, text in zip(made, texts, strict=True)]


def scored(rewards, batch, state=None, **settings):
    with Scorer([resolve(r) for r in rewards], **settings) as scorer:
        if state:
            scorer.state = state
        found = scorer.score(batch)
        return [list(e.rewards.values()) for e in found], found, scorer.metrics()


def test_trls_rewards_of_a_run_file():
    rewards = [
        f"{R}:accuracy_reward",
        f"{R}:reasoning_accuracy_reward",
        f"{R}:think_format_reward",
        {"path": f"{R}:get_soft_overlong_punishment", "max_completion_len": 6, "soft_punish_cache": 4},
        {"path": f"{R}:get_repetition_penalty_reward", "ngram_size": 2},
        {"path": f"{R}:get_cosine_scaled_reward", "max_len": 10},
    ]
    found, records, _ = scored(rewards, episodes(RIGHT, WRONG, solution=r"$\frac{1}{2}$"), workers=1, timeout=30)
    cosine = 0.5 + 0.25 * (1 + 0.30901699437494745), -0.5 - 0.25 * (1 + 0.0)
    assert found[0] == [1.0, 1.0, 1.0, -0.5, 0.0, cosine[0]]
    assert found[1][:5] == [0.0, 0.0, 0.0, -0.75, 0.0]
    assert abs(found[1][5] - cosine[1]) < 1e-12
    assert records[0].notes["accuracy_reward/answer_parsed"].startswith("[1/2")


@pytest.mark.fault("K5")
def test_messages_state_and_loggers_reach_a_function_in_both_places():
    batch = episodes("one", "three", level="easy")
    for reward, workers in ((f"{F}:in_trls_form", 1), (faulty.in_trls_form, 0)):
        found, records, metrics = scored([reward], batch, {"global_step": 3, "max_steps": 6}, workers=workers)
        assert found == [[3.5], [5.5]]
        assert metrics["rewards/in_trls_form/half"] == 0.5
        assert [e.notes for e in records] == [{"in_trls_form/seen": "easy"}, {"in_trls_form/seen": "easy"}]
    assert scored([f"{F}:in_trls_form"], episodes("one", prompt="text", level=1), {"global_step": 0, "max_steps": 1})[0]


@pytest.mark.fault("K5")
def test_verls_function():
    rows = [("reward_model", {"ground_truth": "4", "style": "rule"}), ("ground_truth", "4")]
    for name, column in rows:
        batch = episodes("4", "5", "boom", **{"data_source": "gsm8k", name: column})
        found, _, metrics = scored([f"{F}:compute_score"], batch, max_error_rate=0.5)
        assert found == [[1.0], [0.0], [None]]
        assert metrics["rewards/compute_score/known"] == 1.0
    assert scored([{"path": f"{F}:compute_score", "data_source": "x", "high": 2.0}], episodes("4", ground_truth="4"))[
        0
    ] == [[2.0]]
    batch = episodes("4", "5", data_source="gsm8k", ground_truth="4", extra_info={"k": 1})
    assert scored([f"{F}:compute_scores"], batch)[0] == [[1.0], [0.0]]
    assert scored([f"{F}:compute_slowly"], batch)[0] == [[1.0], [0.0]]


def test_the_wrong_form_says_how_to_write_the_right_one(caplog):
    for path, form, prompt in (("reads_messages", None, "q"), ("reads_texts", "trl", ASKED)):
        scored([{"path": f"{F}:{path}", "signature": form}], episodes("a", prompt=prompt), max_error_rate=1.0)
    assert "write signature: trl in its entry" in caplog.text
    assert "write signature: texts in its entry" in caplog.text


def test_a_completion_in_trls_form_holds_the_words_that_the_prompt_begins_it_with():
    prefill = (*ASKED, {"role": "assistant", "content": "<think>x"})
    (episode,) = episodes("</think> 4", prompt=prefill)
    seen = arguments(resolve({"path": f"{F}:reads_messages", "signature": "trl"}), [episode])
    assert seen["completions"] == [[{"role": "assistant", "content": "<think>x</think> 4"}]]
    assert scored([f"{R}:think_format_reward"], [episode])[0] == [[1.0]]
    assert arguments(resolve(f"{F}:in_trls_form"), [episode])["prompts"] == [list(ASKED)]
