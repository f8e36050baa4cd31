"""The task that a program can check: what is held out, what is right, and what is measured."""

from __future__ import annotations

import pytest

from posttrain.config.load import load
from posttrain.core.method import Sampling
from posttrain.evaluation.tasks.sorting import measure, questions_of, right, sorting
from posttrain.launch.run import open_session
from posttrain.records import Prompt


def test_what_is_held_out_is_the_same_at_every_seed_and_never_trained_on():
    trained, held_out = questions_of(0, held_out=False), questions_of(0, held_out=True)
    assert not set(trained) & set(held_out)
    assert len(trained) + len(held_out) == 8**4
    assert 0.3 < len(held_out) / 8**4 < 0.37
    assert set(questions_of(1, held_out=True)) == set(held_out)
    assert questions_of(1, held_out=True) != held_out  # in another order


def test_only_the_sorted_letters_are_right():
    assert right(["abcd", "abdc", "abcd ", "", "abcde"], ["abcd"] * 5) == [1, 0, 0, 0, 0]
    assert ("caba=", "aabc") in questions_of(0, held_out=False) + questions_of(0, held_out=True)


def test_the_task_names_its_model_its_data_and_its_reward(tmp_path):
    task = sorting(tmp_path, 0, demonstrated=1, steps=3, questions=2)
    assert (tmp_path / "model-0" / "config.json").exists()
    assert task.run["train"]["steps"] == 3
    assert [reward.name for reward in task.rewards] == ["right"]
    assert len(task.records["prompts"].records) == len(questions_of(0, held_out=False))


def test_measured_is_the_share_of_right_answers():
    """Answers, held against the first of them and against one that a single token cannot be."""
    with open_session(load({"model": "tiny", "sampling": {"max_tokens": 1}}, complete=False), write=False) as session:
        session.copy("policy", "reference")
        first = session.collect("first", [Prompt(0, "ab=")], Sampling(samples=4), rewards=())[0].text
        some = measure(session, "some", asked=[Prompt(0, "ab=", {"answer": first})], k=4)
        none = measure(session, "none", asked=[Prompt(0, "ab=", {"answer": "never"})], k=4)
    assert set(some) == {"kl", "accuracy", "pass@4", "entropy"}
    assert (some["accuracy"] >= 1 / 4, some["pass@4"]) == (True, 1.0)
    assert (none["accuracy"], none["pass@4"]) == (0.0, 0.0)
    assert some["kl"] == pytest.approx(0, abs=1e-5)
    assert some["entropy"] > 0
