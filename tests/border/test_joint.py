"""What is trained is what the model will see: rows against the joint rendering of plain transformers."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from posttrain.data.chat.encode import Encoder
from posttrain.errors import DataError
from posttrain.records import Demonstration, Pair, Prompt, Rating
from tests.border.conversations import TEXTS, WORDS, Case, answers, cases
from tests.border.encoders import RENDERER, encoder_of
from tests.border.families import BY_NAME, FAMILIES
from tests.border.messages import says, user
from tests.border.reference import Expected, check_row, expected_rows, render, tokens_of
from tests.border.tokenizers import KINDS, llama_tokenizer, python_tokenizer

LIMITS = settings(
    max_examples=int(os.environ.get("BORDER_EXAMPLES", "3")),
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
families = pytest.mark.parametrize("family", FAMILIES, ids=lambda f: f.name)
kinds = pytest.mark.parametrize("kind", KINDS)


def demonstration(case: Case, *, split: bool) -> Demonstration:
    """The conversation as a record: whole, or cut into the prompt and what follows it."""
    prompt, answer = case.messages[: case.first], case.messages[case.first :]
    if split and prompt:
        return Demonstration(1, prompt, answer, arguments=case.arguments)
    return Demonstration(1, "", case.messages, arguments=case.arguments)


@pytest.mark.fault("B6")
@families
@kinds
def test_a_conversation_has_the_tokens_of_its_joint_rendering(family, kind):
    """And nothing else than the assistant's part of it is trained; nothing that is written gives a notice."""
    encoders = [encoder_of(family, kind, special=s) for s in (False, True)]

    @LIMITS
    @given(case=cases(family), special=st.booleans(), split=st.booleans())
    def holds(case, special, split):
        encoder, tokenizer = encoders[special], encoders[special].tokenizer
        first = case.first if split else 0
        expected = expected_rows(tokenizer, family, case.messages, first, case.arguments)
        rows = encoder.rows(demonstration(case, split=split), "demonstrations")
        assert len(rows) == len(expected)
        for row, one in zip(rows, expected, strict=True):
            check_row(tokenizer, row, one)

    holds()
    lines = [line for e in encoders for line in e.notices.lines()]
    assert not [line for line in lines if not (family.forgets and "thoughts of earlier turns" in line)]


@families
@kinds
def test_pairs_ratings_and_prompts_are_the_joint_rendering_too(family, kind):
    """A pair is two rows behind the same prompt; a prompt is what stands before the answer."""
    encoder = encoder_of(family, kind)
    tokenizer = encoder.tokenizer

    @LIMITS
    @given(case=cases(family, rounds=1), other=answers(family))
    def holds(case, other):
        prompt, answer = case.messages[:-1], case.messages[-1:]
        first = len(prompt)
        if other != answer[0]:
            pair = encoder.rows(Pair(1, prompt, answer, (other,), arguments=case.arguments), "pairs")
            expected = [
                expected_rows(tokenizer, family, (*prompt, m), first, case.arguments)[0] for m in (*answer, other)
            ]
            for row, one in zip(pair, expected, strict=True):
                check_row(tokenizer, row, one)
        (rated,) = encoder.rows(Rating(1, prompt, answer, True, arguments=case.arguments), "ratings")
        check_row(tokenizer, rated, expected_rows(tokenizer, family, case.messages, first, case.arguments)[0])
        asked = render(tokenizer, prompt, case.arguments, asks=True)
        assert list(encoder.prompt(Prompt(1, prompt, arguments=case.arguments))) == tokens_of(tokenizer, asked)

    holds()


@kinds
@pytest.mark.parametrize("name", ["llama2", "qwen3", "llama3"])
@pytest.mark.parametrize("special", [False, True])
def test_plain_text_is_tokenised_once_and_ended_once(name, kind, special):
    """Also where the tokenizer begins or ends texts by itself, and where a token would straddle prompt and answer."""
    family = BY_NAME[name]
    encoder = encoder_of(family, kind, special=special)
    tokenizer = encoder.tokenizer
    begins = [tokenizer.bos_token_id] if family.bos and kind != "bytes" else []

    @LIMITS
    @given(prompt=TEXTS, answer=WORDS)
    def holds(prompt, answer):
        (row,) = encoder.rows(Demonstration(1, prompt, answer), "demonstrations")
        *tokens, end = row.tokens
        *trained, stops = row.trained
        assert (end, stops) == (tokenizer.eos_token_id, True)
        assert tokens[: len(begins)] == begins
        bare = replace(row, tokens=tuple(tokens[len(begins) :]), trained=(False, *trained[len(begins) + 1 :]))
        text = Expected(prompt + answer, ((len(prompt), len(prompt + answer)),))
        check_row(tokenizer, replace(bare, written=bare.trained), text)
        if prompt.strip():
            asked = encoder.prompt(Prompt(1, prompt))
            assert list(asked) == begins + tokens_of(tokenizer, prompt)
            assert row.tokens[: len(asked)] == asked

    holds()


def test_a_token_that_would_straddle_prompt_and_answer_is_cut():
    encoder = encoder_of("chatml", "greedy")
    tokenizer = encoder.tokenizer
    (row,) = encoder.rows(Demonstration(1, "Is it 4?", " No", where="a.jsonl:3"), "demonstrations")
    assert list(row.tokens) != [*tokenizer("Is it 4? No")["input_ids"], tokenizer.eos_token_id]
    assert row.tokens[: len(tokenizer("Is it 4?")["input_ids"])] == encoder.prompt(Prompt(1, "Is it 4?"))
    assert tokenizer.decode([t for t, m in zip(row.tokens, row.trained, strict=True) if m]) == " No<|im_end|>"


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("name", ["llama2", "zephyr", "chatml", "mistral3", "qwen3"])
def test_llamas_own_class_of_tokenizers(name, legacy):
    family = BY_NAME[name]
    tokenizer = llama_tokenizer(family, legacy=legacy)
    encoder = Encoder(tokenizer, 100_000, renderer=RENDERER)

    @LIMITS
    @given(case=cases(family))
    def holds(case):
        rows = encoder.rows(demonstration(case, split=False), "demonstrations")
        for row, one in zip(rows, expected_rows(tokenizer, family, case.messages, 0, case.arguments), strict=True):
            check_row(tokenizer, row, one)

    holds()


@pytest.mark.parametrize("name", ["chatml", "zephyr", "qwen2.5"])
def test_a_tokenizer_that_does_not_say_where_its_tokens_lie(name):
    """Python's tokenizers give no offsets, and swallow line ends behind special tokens."""
    family = BY_NAME[name]
    tokenizer = python_tokenizer(family)
    encoder = Encoder(tokenizer, 100_000, renderer=RENDERER)
    talk = (user("Is it é?"), says(" 👍 é"), user("שלום"), says("7\n"))
    (row,) = encoder.rows(Demonstration(1, "", talk), "demonstrations")
    (expected,) = expected_rows(tokenizer, family, talk, 0, {})
    joint = tokens_of(tokenizer, expected.text)
    assert list(row.tokens) == joint[: len(row.tokens)]
    marks = [False] * len(joint)
    for start, end in expected.spans:
        edges = [len(tokens_of(tokenizer, expected.text[:edge])) for edge in (start, end)]
        marks[slice(*edges)] = [True] * (edges[1] - edges[0])
    assert list(row.trained) == marks[: len(row.tokens)]
    (row,) = encoder.rows(Demonstration(1, "2+2=", "4 é"), "demonstrations")
    assert list(row.tokens) == [*tokens_of(tokenizer, "2+2=4 é"), tokenizer.eos_token_id]
    assert row.trained == (False,) * 4 + (True,) * 5


@pytest.mark.parametrize("name", ["qwen3", "olmo2", "harmony"])
def test_a_pair_that_is_more_than_two_rows_is_refused_and_its_remedy_works(name):
    encoder = encoder_of(name)
    prompt, chosen, rejected = (user("2+2?"),), (says("4"), user("Sure?"), says("Yes")), (says("5"),)
    with pytest.raises(DataError, match="put all but the last into the prompt"):
        encoder.rows(Pair(1, prompt, chosen, rejected), "pairs")
    prompt, chosen = (*prompt, *chosen[:2]), chosen[2:]
    rows = encoder.rows(Pair(1, prompt, chosen, rejected), "pairs")
    for row, answer in zip(rows, (chosen, rejected), strict=True):
        check_row(encoder.tokenizer, row, expected_rows(encoder.tokenizer, BY_NAME[name], (*prompt, *answer), 3, {})[0])
