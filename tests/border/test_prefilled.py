"""Prompts that end with words of the assistant: the answer continues them, in training and in sampling."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from posttrain.config.load import load
from posttrain.core.method import Sampling
from posttrain.data.chat.messages import same_form
from posttrain.data.dataset import load as load_data
from posttrain.errors import DataError
from posttrain.launch.run import open_session
from posttrain.records import Demonstration, Pair, Prompt
from posttrain.turns import conversation
from tests.border.conversations import cases
from tests.border.encoders import encoder_of
from tests.border.families import FAMILIES
from tests.border.messages import says, system, user
from tests.border.reference import Expected, check_row, render, tokens_of, whole_answer
from tests.border.test_joint import LIMITS
from tests.border.tokenizers import KINDS

PLACES = [(family, KINDS[i % len(KINDS)]) for i, family in enumerate(FAMILIES)]
places = pytest.mark.parametrize(("family", "kind"), PLACES, ids=[f"{f.name}-{k}" for f, k in PLACES])


@places
def test_a_prefilled_answer_is_continued_where_plain_transformers_continues_it(family, kind):
    """The row is the joint rendering of the whole answer, and only what follows the words of the prompt is trained."""
    encoder = encoder_of(family, kind)
    tokenizer = encoder.tokenizer

    @LIMITS
    @given(case=cases(family, rounds=2), cut=st.floats(0.1, 0.9))
    def holds(case, cut):
        *before, last = case.messages
        place = round(cut * len(last["content"]))
        prefill, rest = last["content"][:place], last["content"][place:]
        assume(not any(mark in last["content"] for mark in ("▁", "##")))  # which tokenizers write for or at a word
        assume(prefill.strip() and rest.strip() and not last.keys() & {"reasoning_content", "thinking"})
        prompt = (*before, {**last, "content": prefill})
        plain = [{k: v for k, v in m.items() if k != "trained"} for m in prompt]
        try:
            asked = tokenizer.apply_chat_template(plain, tokenize=False, continue_final_message=True, **case.arguments)
        except ValueError:  # the template drops thoughts, also that of the prefilled answer
            with pytest.raises(
                DataError, match="ends with words of the assistant, and .* final message does not appear"
            ):
                encoder.prompt(Prompt(1, prompt, arguments=case.arguments))
            return
        assert list(encoder.prompt(Prompt(1, prompt, arguments=case.arguments))) == tokens_of(tokenizer, asked)
        answered = whole_answer(tokenizer, family, case.messages, case.arguments, asked)
        record = Demonstration(1, prompt, (says(rest),), arguments=case.arguments)
        if not answered.startswith(asked):
            with pytest.raises(DataError, match="write the whole answer, behind a prompt that ends before it|thought"):
                encoder.rows(record, "demonstrations")
            return
        (row,) = encoder.rows(record, "demonstrations")
        end = answered.rindex(family.end) + len(family.end)
        check_row(tokenizer, row, Expected(answered, ((len(asked), end),)))

    holds()


@places
def test_both_answers_of_a_pair_continue_the_same_words(family, kind):
    encoder = encoder_of(family, kind)
    prompt = (user("Capital of France?"), says("It is"))
    asked = encoder.prompt(Prompt(1, prompt))
    rows = encoder.rows(Pair(1, prompt, " Paris.", (says(" Rome, I think."),)), "pairs")
    for row in rows:
        assert row.tokens[: len(asked)] == asked
        assert list(row.trained) == [i >= len(asked) for i in range(len(row.tokens))]


def test_what_is_sampled_continues_the_words_of_the_prompt(tmp_path):
    """From a file, with one notice; what judges and rewards in TRL's form read is the whole answer."""
    file = tmp_path / "prompts.jsonl"
    file.write_text(json.dumps({"prompt": [user("Capital of France?"), says("It is")]}) + "\n")
    data = load_data(str(file), "prompts")
    assert [
        line
        for line in data.notices.lines()
        if "ends with words of the assistant, and the answer continues them" in line
    ]
    with open_session(load({"model": "tiny", "sampling": {"max_tokens": 3}}, complete=False), write=False) as session:
        (episode,) = session.sample(data, Sampling(temperature=0.0))
        template = session.run.encoder.tokenizer.apply_chat_template
        talk = list(data)[0].prompt
        assert list(episode.prompt_tokens) == template(talk, continue_final_message=True, return_dict=False)
    assert conversation(talk, episode.text)[-1] == says(f"It is{episode.text}")


def test_an_answer_that_repeats_the_words_of_the_prompt_continues_them():
    prompt = (user("2+2?"), says("It is"))
    whole = (user("2+2?"), says("It is 4."))
    assert same_form(prompt, whole, " 5.")[1:] == ((says(" 4."),), (says(" 5."),))
    assert same_form(prompt, (user("2+2?"), says("So: 4")))[1] == (user("2+2?"), says("So: 4"))


@pytest.mark.parametrize("name", ["chatml", "qwen3", "zephyr", "olmo2"])
def test_a_conversation_that_the_assistant_begins_is_rendered(name):
    """Its first message is read; nobody has asked for it, so no model would write it."""
    encoder = encoder_of(name)
    talk = (says("Hello!"), user("2+2?"), says("4"))
    (row,) = encoder.rows(Demonstration(1, "", talk), "demonstrations")
    text = render(encoder.tokenizer, talk, {}, asks=False)
    start = len(render(encoder.tokenizer, talk[:2], {}, asks=True))
    family = next(f for f in FAMILIES if f.name == name)
    check_row(encoder.tokenizer, row, Expected(text, ((start, text.rindex(family.end) + len(family.end)),)))
    notices = encoder.notices.lines()
    assert any("before anybody has asked is read and not trained" in line for line in notices)


def test_a_greeting_behind_a_system_message_is_trained_where_the_template_asks_for_it():
    talk = (system("Be kind."), says("Hello!"))
    (row,) = encoder_of("chatml").rows(Demonstration(1, "", talk), "demonstrations")
    assert sum(row.trained) > 1
    with pytest.raises(DataError, match="speaks before anybody has asked: begin with a user message, or mark"):
        encoder_of("gemma3").rows(Demonstration(1, "", talk), "demonstrations")


@pytest.mark.parametrize("name", ["gemma2", "gemma3", "llama2"])
def test_a_template_that_refuses_the_assistant_first_says_so_with_a_remedy(name):
    record = Demonstration(1, "", (says("Hello!"), user("2+2?"), says("4")), where="a.jsonl:3")
    with pytest.raises(DataError, match=r"a.jsonl:3: .* fails on this .*: begin with a user message") as caught:
        encoder_of(name).rows(record, "demonstrations")
    marked = replace(record, completion=({**record.completion[0], "trained": False}, *record.completion[1:]))
    with pytest.raises(DataError, match="begin with a user message"):
        encoder_of(name).rows(marked, "demonstrations")
    assert "alternate" in str(caught.value) or "Error" in str(caught.value)
