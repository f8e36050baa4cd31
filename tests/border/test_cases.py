"""Rows as people write them, from columns to tokens: what plain transformers makes of the same messages."""

from __future__ import annotations

import json

import pytest

from posttrain.data.columns import record
from posttrain.data.dataset import load
from posttrain.errors import DataError
from posttrain.rewards.bundled.regex_format import regex_format
from tests.border.encoders import encoder_of
from tests.border.families import BY_NAME
from tests.border.messages import TOOL, calls, result, says, system, user
from tests.border.reference import check_row, expected_rows, tokens_of

WHERE = "rows.jsonl:5"


def check(name, row, kind, *conversations, tokenizer="bytes", special=False, arguments=None, **reading):
    """The rows of a row of a file are those of the conversations: (messages, number of the first answer)."""
    encoder = encoder_of(name, tokenizer, special=special)
    rows = encoder.rows(record(row, kind, 0, WHERE, **reading), kind)
    expected = [
        one
        for messages, first in conversations
        for one in expected_rows(encoder.tokenizer, BY_NAME[name], messages, first, arguments or {})
    ]
    assert len(rows) == len(expected)
    for mine, one in zip(rows, expected, strict=True):
        check_row(encoder.tokenizer, mine, one)
    return rows


# ---- tools


ASKED = [user("Weather in Paris?"), calls({"city": "Paris"}), result("18 C"), says("18 C in Paris.")]


@pytest.mark.fault("B1")
@pytest.mark.parametrize("name", ["qwen2.5", "qwen3", "llama3", "granite3", "command_r"])
def test_tools_and_calls(name):
    row = {"messages": ASKED, "tools": [TOOL]}
    rows = check(name, row, "demonstrations", (ASKED, 0), arguments={"tools": [TOOL]})
    text = encoder_of(name).tokenizer.decode(rows[0].tokens)
    assert "Of a city." in text
    assert '"city": "Paris"' in text


def test_tools_and_calls_in_pairs():
    row = {"prompt": ASKED[:1], "chosen": ASKED[1:2], "rejected": [says("Sunny, I guess.")], "tools": [TOOL]}
    sides = (ASKED[:2], 1), ([ASKED[0], says("Sunny, I guess.")], 1)
    check("qwen3", row, "pairs", *sides, arguments={"tools": [TOOL]})


@pytest.mark.fault("B2")
@pytest.mark.parametrize("name", ["chatml", "smollm2", "zephyr", "phi4"])
def test_a_call_that_the_template_does_not_write_is_an_error(name):
    with pytest.raises(DataError, match=f"^{WHERE}: .*'weather'.*; set model.chat_template") as error:
        check(name, {"messages": ASKED, "tools": [TOOL]}, "demonstrations", (ASKED, 0))
    assert "content" in str(error.value)


@pytest.mark.fault("B1")
def test_sharegpt_with_calls_results_and_tools_as_text():
    row = {
        "conversations": [
            {"from": "human", "value": "Weather in Paris?"},
            {"from": "function_call", "value": '{"name": "weather", "arguments": {"city": "Paris"}}'},
            {"from": "observation", "value": "18 C"},
            {"from": "gpt", "value": "18 C in Paris."},
        ],
        "system": "Be brief.",
        "tools": json.dumps([TOOL]),
    }
    messages = [system("Be brief."), *ASKED]
    check("qwen2.5", row, "demonstrations", (messages, 0), arguments={"tools": [TOOL]})


@pytest.mark.fault("B5")
def test_nulls_that_arrow_puts_into_arguments_are_not_written(tmp_path):
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    other = [user("Add 1 and 2."), calls({"x": 1, "y": 2}), result("3"), says("3")]
    pq.write_table(pa.Table.from_pylist([{"messages": ASKED}, {"messages": other}]), tmp_path / "calls.parquet")
    encoder = encoder_of("qwen3")
    for made, messages in zip(load(str(tmp_path / "calls.parquet"), "demonstrations"), (ASKED, other), strict=True):
        expected = expected_rows(encoder.tokenizer, BY_NAME["qwen3"], messages, 0, {})
        for row, one in zip(encoder.rows(made, "demonstrations"), expected, strict=True):
            check_row(encoder.tokenizer, row, one)
            assert "null" not in encoder.tokenizer.decode(row.tokens)


# ---- which answers are trained


@pytest.mark.fault("B3")
@pytest.mark.parametrize("untrained", [{"weight": 0}, {"train": False}, {"trained": False}])
def test_a_message_that_is_not_trained(untrained):
    asked = [user("2+2?"), says("5"), user("Sure?"), says("4.")]
    row = {"messages": [asked[0], asked[1] | untrained, *asked[2:]]}
    messages = [asked[0], says("5", trained=False), *asked[2:]]
    check("chatml", row, "demonstrations", (messages, 0))


@pytest.mark.fault("B7")
@pytest.mark.parametrize("name", ["qwen3", "olmo2", "harmony", "mistral3", "chatml"])
def test_several_answers(name):
    """One row where the template leaves the history alone; one for each answer where it does not."""
    asked = [user("2+2?"), says("4"), user("Times 3?"), says("12")]
    rows = check(name, {"messages": asked}, "demonstrations", (asked, 0))
    assert len(rows) == (1 if name in ("chatml", "mistral3") else 2)
    assert len({row.id for row in rows}) == len(rows)
    row = {"prompt": asked[:3], "completion": asked[3:]}
    assert len(check(name, row, "demonstrations", (asked, 3))) == 1


# ---- Alpaca, DPO rows with a system column


@pytest.mark.fault("B4")
def test_alpaca_with_system_and_history():
    row = {"instruction": "And of Italy?", "input": "", "output": "Rome.", "system": "One word."}
    row["history"] = [["Capital of France?", "Paris."]]
    messages = [system("One word."), user("Capital of France?"), says("Paris."), user("And of Italy?"), says("Rome.")]
    check("chatml", row, "demonstrations", (messages, 3))


@pytest.mark.fault("B4")
def test_pairs_with_a_system_column():
    row = {"system": "One word.", "question": "Capital of Italy?", "chosen": "Rome.", "rejected": "It is Rome."}
    asked = [system("One word."), user("Capital of Italy?")]
    sides = ([*asked, says("Rome.")], 2), ([*asked, says("It is Rome.")], 2)
    check("chatml", row, "pairs", *sides, columns={"prompt": "question"})


# ---- preferences


QUESTION, YES, NO = user("Capital of France?"), says("Paris."), says("Lyon.")
SIDES = ([QUESTION, YES], 1), ([QUESTION, NO], 1)
PREFERENCES = {
    "text": {"prompt": "Capital of France?", "chosen": "Paris.", "rejected": "Lyon."},
    "alpaca": {"instruction": "Capital of France?", "input": None, "chosen": "Paris.", "rejected": "Lyon."},
    "ultrafeedback": {"prompt": "Capital of France?", "chosen": [QUESTION, YES], "rejected": [QUESTION, NO]},
    "implicit": {"chosen": [QUESTION, YES], "rejected": [QUESTION, NO]},
    "messages": {"prompt": [QUESTION], "chosen": [YES], "rejected": [NO]},
    "one object": {"prompt": "Capital of France?", "chosen": YES, "rejected": NO},
    "transcripts": {
        "chosen": "\n\nHuman: Capital of France?\n\nAssistant: Paris.",
        "rejected": "\n\nHuman: Capital of France?\n\nAssistant: Lyon.",
    },
    "sharegpt": {
        "conversations": [{"from": "human", "value": "Capital of France?"}],
        "chosen": {"from": "gpt", "value": "Paris."},
        "rejected": {"from": "gpt", "value": "Lyon."},
    },
    "openai": {"input": {"messages": [QUESTION]}, "preferred_output": [YES], "non_preferred_output": [NO]},
}


@pytest.mark.parametrize("written", PREFERENCES.values(), ids=PREFERENCES)
def test_ways_to_write_a_preference(written):
    check("chatml", written, "pairs", *SIDES, chat=True)


def test_a_system_turn_inside_the_answers_of_a_pair():
    row = {
        "prompt": "Capital of France?",
        "chosen": [system("Be brief."), QUESTION, YES],
        "rejected": [system("Be brief."), QUESTION, NO],
    }
    sides = ([system("Be brief."), QUESTION, YES], 2), ([system("Be brief."), QUESTION, NO], 2)
    check("chatml", row, "pairs", *sides)


@pytest.mark.fault("B11")
def test_a_question_that_differs_by_white_space_is_not_asked_twice():
    row = {"prompt": "Capital of France? ", "chosen": [QUESTION, YES], "rejected": [QUESTION, NO]}
    asked = user("Capital of France? ")
    check("chatml", row, "pairs", ([asked, YES], 1), ([asked, NO], 1))


def test_pairs_that_differ_in_their_first_or_last_answer():
    after = [user("Sure?"), says("Yes.")]
    row = {"chosen": [QUESTION, YES, *after], "rejected": [QUESTION, NO, *after]}
    check("chatml", row, "pairs", ([QUESTION, YES, *after], 1), ([QUESTION, NO, *after], 1))
    row = {"chosen": [QUESTION, YES, *after], "rejected": [QUESTION, YES, user("Sure?"), says("No.")]}
    sides = ([QUESTION, YES, *after], 3), ([QUESTION, YES, user("Sure?"), says("No.")], 3)
    check("chatml", row, "pairs", *sides)


@pytest.mark.fault("B11")
def test_texts_that_repeat_the_prompt_lose_it():
    row = {"prompt": "Q: Capital?\nA:", "chosen": "Q: Capital?\nA: Paris.", "rejected": "Q: Capital?\nA: Lyon."}
    encoder = encoder_of("chatml", "sentencepiece")
    for mine, text in zip(encoder.rows(record(row, "pairs", 0, WHERE), "pairs"), ("Paris.", "Lyon."), strict=True):
        assert list(mine.tokens[:-1]) == tokens_of(encoder.tokenizer, f"Q: Capital?\nA: {text}")
        trained = [t for t, m in zip(mine.tokens, mine.trained, strict=True) if m]
        assert encoder.tokenizer.decode(trained).strip() == f"{text}<|im_end|>"


@pytest.mark.parametrize(
    "written",
    [
        {"prompt": "Capital?", "chosen": "Paris.", "rejected": None},
        {"chosen": [QUESTION, YES], "rejected": [user("Capital of Italy?"), NO]},
        {"prompt": [QUESTION], "chosen": [YES], "rejected": [user("Lyon.")]},
    ],
)
def test_preferences_that_are_none(written):
    with pytest.raises(DataError, match=f"^{WHERE}: "):
        record(written, "pairs", 0, WHERE)


# ---- thoughts


@pytest.mark.fault("B8")
@pytest.mark.parametrize(
    "answer",
    ["<think>\ntwo and two\n</think>\n\n4", "two and two\n</think>\n\n4", "<think>two and two</think>4"],
)
def test_a_thought_that_the_prompt_opens(answer):
    row = {"prompt": [user("2+2?")], "completion": [says(answer)]}
    rows = check("r1", row, "demonstrations", ([user("2+2?"), says(answer)], 1))
    decoded = encoder_of("r1").tokenizer.decode([t for t, m in zip(rows[0].tokens, rows[0].trained, strict=True) if m])
    assert decoded.startswith("two and two")
    assert decoded.count("think>") == 1


def test_pairs_behind_a_thought_that_the_prompt_opens():
    good, bad = says("two and two\n</think>\n\n4"), says("hm\n</think>\n\n5")
    row = {"prompt": [user("2+2?")], "chosen": [good], "rejected": [bad]}
    check("r1", row, "pairs", ([user("2+2?"), good], 1), ([user("2+2?"), bad], 1))


@pytest.mark.fault("B8")
def test_an_answer_without_a_thought_is_refused_and_its_remedy_works():
    row = {"prompt": [user("2+2?")], "completion": [says("4")]}
    with pytest.raises(DataError, match="<think>.*</think>"):
        check("r1", row, "demonstrations", ([user("2+2?"), says("4")], 1))
    row["completion"] = [says("<think>\n\n</think>\n\n4")]
    encoder_of("r1").rows(record(row, "demonstrations", 0, WHERE), "demonstrations")


def test_a_thought_that_the_template_leaves_out_is_an_error():
    """The template of the first distillates neither opens thoughts nor writes them."""
    template = BY_NAME["r1"].template.replace("<think>\\n' }}", "' }}")
    row = {"prompt": [user("2+2?")], "completion": [says("<think>\ntwo and two\n</think>\n\n4")]}
    encoder = encoder_of("r1", template=template)
    with pytest.raises(DataError, match="leaves out.*set model.chat_template"):
        encoder.rows(record(row, "demonstrations", 0, WHERE), "demonstrations")


@pytest.mark.parametrize("special", [False, True])
def test_think_and_answer_as_special_tokens(special):
    encoder = encoder_of("chatml", special=special)
    answer = "<think>two and two</think><answer>4</answer>"
    row = {"messages": [user("2+2?"), says(answer)]}
    (made,) = check("chatml", row, "demonstrations", ([user("2+2?"), says(answer)], 0), special=special)
    trained = encoder.tokenizer.convert_ids_to_tokens([t for t, m in zip(made.tokens, made.trained, strict=True) if m])
    assert [t for t in trained if t.startswith("<")] == ["<think>", "</think>", "<answer>", "</answer>", "<|im_end|>"]


@pytest.mark.fault("B14")
@pytest.mark.parametrize("special", [False, True])
def test_a_reward_sees_special_tokens_that_mark_no_turns(special):
    encoder = encoder_of("chatml", special=special)
    answer = "<think>two and two</think><answer>4</answer>"
    text = encoder.text(tokens_of(encoder.tokenizer, f"{answer}<|im_end|>"))
    assert text == answer
    assert regex_format([""], [text], pattern=r"<think>.*</think><answer>.*</answer>") == [1.0]


# ---- spaces


@pytest.mark.fault("B6")
@pytest.mark.parametrize("kind", ["sentencepiece", "metaspace"])
@pytest.mark.parametrize("name", ["zephyr", "llama2", "mistral1", "mistral3", "phi3", "chatml"])
def test_no_answer_begins_with_a_space_that_the_model_would_not_see(name, kind):
    asked = [user("Capital of France?"), says("Paris"), user("Sure?"), says("Yes")]
    check(name, {"messages": asked}, "demonstrations", (asked, 0), tokenizer=kind)


@pytest.mark.parametrize("kind", ["sentencepiece", "metaspace"])
def test_plain_text_is_not_torn_apart(kind):
    encoder = encoder_of("zephyr", kind)
    (row,) = encoder.rows(record({"prompt": "2+2=", "completion": "4"}, "demonstrations", 0, WHERE), "demonstrations")
    tokenizer = encoder.tokenizer
    assert list(row.tokens) == [*tokenizer("2+2=4")["input_ids"], tokenizer.eos_token_id]
    assert tokenizer.convert_ids_to_tokens([t for t, m in zip(row.tokens, row.trained, strict=True) if m]) == [
        "4",
        "</s>",
    ]


# ---- content in parts, settings of the template, refusals


@pytest.mark.fault("B10")
def test_parts_of_text_are_joined_and_images_refused():
    def parts(text):
        return [{"type": "text", "text": text}]

    row = {
        "messages": [{"role": "user", "content": parts("Capital?")}, {"role": "assistant", "content": parts("Paris.")}]
    }
    check("chatml", row, "demonstrations", ([user("Capital?"), says("Paris.")], 0))
    image = [{"type": "image"}, *parts("What is this?")]
    for bad in (
        {"messages": [{"role": "user", "content": image}, says("A cat.")]},
        {"images": ["a.png"], "messages": [user("<image>What is this?"), says("A cat.")]},
    ):
        with pytest.raises(DataError, match="image"):
            record(bad, "demonstrations", 0, WHERE)


@pytest.mark.parametrize("form", [lambda x: x, json.dumps], ids=["object", "text"])
def test_settings_of_the_template_come_from_the_row(form):
    row = {
        "prompt": [user("2+2?")],
        "completion": [says("4")],
        "chat_template_kwargs": form({"enable_thinking": False}),
    }
    encoder = encoder_of("qwen3")
    (made,) = check(
        "qwen3", row, "demonstrations", ([user("2+2?"), says("4")], 1), arguments={"enable_thinking": False}
    )
    trained = [t for t, m in zip(made.tokens, made.trained, strict=True) if m]
    assert encoder.tokenizer.decode(trained) == "4<|im_end|>"


def test_what_a_template_refuses_is_an_error_of_the_row_alone():
    encoder = encoder_of("gemma2")
    for messages in (
        [system("Be brief."), user("Hi"), says("Hello")],
        [user("Hi"), says("Hello"), says("again")],
    ):
        with pytest.raises(DataError, match=f"^{WHERE}: the chat template (fails|refuses)"):
            encoder.rows(record({"messages": messages}, "demonstrations", 0, WHERE), "demonstrations")
    messages = [user("Hi"), says("Hello")]
    check("gemma2", {"messages": messages}, "demonstrations", (messages, 0))
