"""Items and suites as records."""

from __future__ import annotations

from posttrain.evaluation.suite import Item, Reply, Suite, as_written, continued, stripped, user
from posttrain.records import Prompt


def test_an_item_knows_its_last_reply_and_the_columns_of_its_question():
    prompt = Prompt(1, user("2+2="), {"answer": "4"})
    item = Item(prompt, replies=(Reply(user("2+2="), "5", "5"), Reply(user("sure?"), " 4", "4")))
    assert (item.text, item.answer, item["answer"]) == (" 4", "4", "4")
    assert [m["role"] for m in continued(item, "why?")] == ["user", "assistant", "user"]
    assert as_written(prompt) == prompt.prompt


def test_an_answer_that_the_question_begins_is_one_message():
    asked = (*user("Hello"), {"role": "assistant", "content": "Sure, "})
    assert Item(Prompt(0, asked), replies=(Reply(asked, "here"),)).conversation[-1]["content"] == "Sure, here"


def test_an_empty_reply_is_no_answer():
    assert stripped("  \n") is None
    assert stripped(" a b ") == "a b"


def test_a_suite_names_all_its_metrics():
    number = lambda _: 1.0  # noqa: E731
    assert Suite([], {"a": number}, {"b": number}, {"c": number}).names == ("a", "b", "c")
