"""Marks of turns are read off a rendered question and answer; what opens a thought is none."""

from posttrain.data.chat.control import ControlTokens
from posttrain.data.chat.turn_marks import TurnMarks
from posttrain.errors import DataError
from tests.data.tokenizer import byte_tokenizer


def rendered(conversation, answer_next):
    """A template that opens a thought in <filename>, and refuses system turns."""
    if conversation[0]["role"] == "system":
        raise DataError("no system turns")
    text = "".join(f"{m['content']}<|im_end|>\n" for m in conversation)
    return text + "<|im_start|><filename>\n" * answer_next


def test_the_marks_of_a_template():
    marks = TurnMarks.of(rendered, ControlTokens(byte_tokenizer()))
    assert marks.tokens == {"<|im_start|>", "<|im_end|>"}
    assert marks.end == "<|im_end|>"
    assert not marks.continued


def test_where_the_template_refuses_a_question_every_special_token_counts():
    def refuses(conversation, answer_next):
        raise DataError("no")

    marks = TurnMarks.of(refuses, ControlTokens(byte_tokenizer()))
    assert marks.tokens == {"<|im_start|>", "<|im_end|>", "<filename>"}
    assert marks.end == ""


def test_a_template_that_ends_conversations_with_one_more_token():
    """And whose header begins with the same characters as what stands there without a call for an answer."""

    def render(conversation, answer_next):
        text = "".join(f"{m['content']}<|im_end|>\n" for m in conversation)
        return text + ("<|im_start|>" if answer_next else "<filename>")

    marks = TurnMarks.of(render, ControlTokens(byte_tokenizer()))
    assert marks.end == "<|im_end|>"
    assert marks.tokens == {"<|im_start|>", "<|im_end|>", "<filename>"}


def test_a_template_that_always_calls_for_an_answer():
    def render(conversation, answer_next):
        return "".join(f"<filename>{m['role']}{m['content']}<|im_end|>\n" for m in conversation) + "<filename>"

    assert TurnMarks.of(render, ControlTokens(byte_tokenizer())).end == "<|im_end|>"


def test_a_turn_that_ends_with_two_tokens():
    def render(conversation, answer_next):
        ends = {"assistant": "<|im_end|><|im_start|>"}
        text = "".join(f"<filename>{m['role']}{m['content']}{ends.get(m['role'], '')}" for m in conversation)
        return text + "<filename>assistant" * answer_next

    assert TurnMarks.of(render, ControlTokens(byte_tokenizer())).end == "<|im_start|>"
