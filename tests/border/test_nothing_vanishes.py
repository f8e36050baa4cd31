"""Nothing that the user wrote vanishes: what a template does not write is an error or a notice, all else neither."""

from __future__ import annotations

import pytest

from posttrain.errors import DataError
from posttrain.records import Demonstration, Prompt
from tests.border.encoders import encoder_of
from tests.border.families import BY_NAME, FAMILIES, FEATURES
from tests.border.messages import TOOL, calls, result, says, system, user
from tests.border.reference import check_row, expected_rows, render, tokens_of

WHERE = "chat.jsonl:7"
RESULT = 'It says: "18 °C",\nsunny \\ mild'
# What a notice says of each feature that is left out.
NOTICE = {
    "system": "what system messages say",
    "tools": "the tool 'weather'",
    "results": "what tool messages say",
    "documents": "documents",
}


def conversation(family, feature):
    """The shortest conversation that uses a feature, and the arguments of its record."""
    asked, answered = user("Weather in Paris?"), says(family.thought + "Sunny.")
    called = [asked, calls({"city": "Paris"})]
    thought = {"thinking" if family.name == "harmony" else "reasoning_content": "It is summer."}
    return {
        "system": ([system("Be brief."), asked, answered], {}),
        "tools": ([asked, answered], {"tools": [TOOL]}),
        "documents": ([asked, answered], {"documents": [{"title": "Paris", "text": "It never rains."}]}),
        "calls": (called, {}),
        # the call is written as text, so that only its result is at stake
        "results": ([asked, says(family.thought + "weather(Paris)"), result(RESULT), answered], {}),
        "thoughts": ([asked, says("Sunny.", **thought)], {}),
        "consecutive": ([user("Hello."), asked, answered], {}),
    }[feature]


DEAF = (  # a template that writes questions and answers alone
    "{% for m in messages %}{% if m.role in ('user', 'assistant') %}{{ m.role + m.content + eos_token }}{% endif %}"
    "{% endfor %}{% if add_generation_prompt %}assistant{% endif %}"
)
CASES = [pytest.param(f, x, id=f"{f.name}-{x}") for f in FAMILIES for x in sorted(FEATURES)]


@pytest.mark.fault("B2")
@pytest.mark.parametrize(("family", "feature"), CASES)
def test_a_feature_is_written_or_noticed_or_refused(family, feature):
    messages, arguments = conversation(family, feature)
    record = Demonstration(1, "", tuple(messages), WHERE, arguments=arguments)
    encoder = encoder_of(family)
    if feature in family.refuses or (feature in ("calls", "thoughts") and feature in family.leaves_out):
        with pytest.raises(DataError, match=f"^{WHERE}: the chat template") as error:
            encoder.rows(record, "demonstrations")
        assert feature in family.refuses or "set model.chat_template" in str(error.value)
        return
    rows = encoder.rows(record, "demonstrations")
    for row, one in zip(rows, expected_rows(encoder.tokenizer, family, messages, 0, arguments), strict=True):
        check_row(encoder.tokenizer, row, one)
    lines = [line for line in encoder.notices.lines() if "thoughts of earlier turns" not in line]
    if feature in family.writes:
        assert not lines
    else:
        (line,) = lines
        assert NOTICE[feature] in line
        assert line.endswith(f"(1 row, the first {WHERE})")


@pytest.mark.parametrize(
    "family", [f for f in FAMILIES if f.leaves_out & {"system", "tools", "documents"}], ids=lambda f: f.name
)
def test_prompts_are_noticed_like_answers(family):
    """What is left out of a prompt that is only sampled from is noticed too, and counted once for each row."""
    for feature in sorted(family.leaves_out & {"system", "tools", "documents"}):
        messages, arguments = conversation(family, feature)
        encoder = encoder_of(family)
        for number in range(3):
            tokens = encoder.prompt(Prompt(number, tuple(messages[:-1]), where=f"{WHERE}{number}", arguments=arguments))
        asked = render(encoder.tokenizer, messages[:-1], arguments, asks=True)
        assert list(tokens) == tokens_of(encoder.tokenizer, asked)
        (line,) = encoder.notices.lines()
        assert NOTICE[feature] in line
        assert line.endswith(f"(3 rows, the first {WHERE}0)")


@pytest.mark.parametrize("text", ['{"a": 1, "b": [true, null]}', '{"a": "\\u00e9\\n", "b": "\\""}', "not JSON"])
def test_arguments_as_text_are_written_as_they_are(text):
    talk = (user("Weather in Paris?"), calls(text))
    encoder = encoder_of("qwen2.5")
    (row,) = encoder.rows(Demonstration(1, "", talk, WHERE), "demonstrations")
    check_row(encoder.tokenizer, row, expected_rows(encoder.tokenizer, BY_NAME["qwen2.5"], talk, 0, {})[0])
    assert text in encoder.tokenizer.decode(row.tokens)
    assert encoder.notices.lines() == []


def test_an_answer_that_is_only_a_thought():
    encoder = encoder_of("r1")
    talk = (user("2+2?"), says("<think>\ntwo and two\n</think>\n\n"))
    (row,) = encoder.rows(Demonstration(1, "", talk, WHERE), "demonstrations")
    trained = encoder.tokenizer.decode([t for t, m in zip(row.tokens, row.trained, strict=True) if m])
    assert trained.removesuffix(BY_NAME["r1"].end).split() == ["two", "and", "two", "</think>"]


@pytest.mark.parametrize("feature", ["system", "tools", "results", "documents"])
def test_what_the_answer_repeats_is_still_missed(feature):
    """That its words stand elsewhere in the text does not make it written."""
    encoder = encoder_of("tulu", template=DEAF)
    first = [system("Sunny")] if feature == "system" else []
    after = [says("Sunny"), result("Sunny")] if feature == "results" else []
    arguments = {"tools": {"tools": [{"name": "Sunny"}]}, "documents": {"documents": [{"text": "Sunny"}]}}
    talk = (*first, user("Weather?"), *after, says("Sunny"))
    record = Demonstration(1, "", talk, WHERE, arguments=arguments.get(feature, {}))
    encoder.rows(record, "demonstrations")
    (line,) = encoder.notices.lines()
    assert NOTICE[feature].replace("weather", "Sunny") in line


@pytest.mark.parametrize("arguments", [{}, {"city": "Paris"}])
def test_a_call_that_the_content_names_is_still_missed(arguments):
    talk = (user("Weather in Paris?"), calls(arguments, "I ask weather for the city Paris."))
    with pytest.raises(DataError, match="'weather'.*set model.chat_template"):
        encoder_of("chatml").rows(Demonstration(1, "", talk, WHERE), "demonstrations")
    encoder = encoder_of("qwen2.5")
    (row,) = encoder.rows(Demonstration(1, "", talk, WHERE), "demonstrations")
    check_row(encoder.tokenizer, row, expected_rows(encoder.tokenizer, BY_NAME["qwen2.5"], talk, 0, {})[0])


def test_a_row_that_contradicts_its_template_can_be_dropped():
    """Two answers in a row, of which Qwen 3 rewrites the first; a thought where thinking is off."""
    encoder = encoder_of("qwen3")
    for talk, arguments in [
        ((user("2+2?"), says("4"), says("5")), {}),
        ((user("2+2?"), says("4", reasoning_content="two and two")), {"enable_thinking": False}),
    ]:
        with pytest.raises(DataError, match=f"^{WHERE}: the chat template"):
            encoder.rows(Demonstration(1, "", talk, WHERE, arguments=arguments), "demonstrations")
