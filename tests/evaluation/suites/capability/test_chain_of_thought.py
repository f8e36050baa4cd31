"""Few-shot questions with a final answer that is read out of the reply."""

from __future__ import annotations

import pytest

from posttrain.evaluation.suites.capability.chain_of_thought import chain_of_thought, final_answer
from posttrain.turns import last_message
from tests.evaluation.scripted import answered


@pytest.mark.paper("fu2023pyr")
def test_a_right_final_answer_counts_and_an_unreadable_one_is_wrong_and_counted():
    suite = chain_of_thought(size=4)
    ids = [p.id for p in suite.prompts]

    def say(item, asked):
        assert asked.count("Q: ") == 5
        assert asked.endswith("A: Let's think step by step.")
        k = ids.index(item.prompt.id)
        return ["no idea", "The answer is 0.", f"First this. The answer is {item['answer']}.", f"= {item['answer']}"][k]

    found = answered(suite, say)
    assert found.scores["accuracy"] == dict(zip(ids, (0.0, 0.0, 1.0, 1.0), strict=True))
    assert found.counters["no answer"] == 1
    low, high = found.numbers["accuracy"].low, found.numbers["accuracy"].high
    assert 0.1 < low < 0.5 < high < 0.9  # Wilson's, of 2 in 4


def test_without_examples_and_steps_the_question_stands_alone():
    suite = chain_of_thought(size=1, shots=0, steps=False)
    asked = last_message(suite.ask(suite.prompts[0]))
    assert asked.startswith("Q: What is ")
    assert asked.endswith("\nA:")


def test_the_answer_is_read_before_a_question_that_a_base_model_makes_up():
    assert final_answer("7 + 5 = 12\n\nQ: What is 3 + 4?\nA: 7") == "12"
    assert final_answer("The answer is 1,234.\nQ: 5") == "1,234"
    assert final_answer("I cannot say") is None


def test_several_samples_vote():
    suite = chain_of_thought(size=2, samples=3, shots=0, temperature=1.0)
    found = answered(suite, lambda item, _: item["answer"] if item.sample else "0")
    assert {n: x.mean for n, x in found.numbers.items()} == pytest.approx(
        {"accuracy": 2 / 3, "pass@2": 1.0, "pass^2": 1 / 3, "maj@3": 1.0}
    )
