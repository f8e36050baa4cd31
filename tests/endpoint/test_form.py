"""Forms: what fits is read exactly, what does not is never a verdict."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from posttrain.endpoint.failure import ReplyError
from posttrain.endpoint.form import Form, Number, Text, Word, fill_in
from tests.endpoint.server import Server, answer, say, send
from tests.endpoint.test_client import BODY, bodies, client

FORM = Form("verdict", {"reason": Text(), "score": Number(1, 10)})
GOOD = {"reason": "because", "score": 8}
WRITTEN = json.dumps(GOOD)


def test_the_schema_is_strict():
    assert FORM.response_format() == {
        "type": "json_schema",
        "json_schema": {
            "name": "verdict",
            "strict": True,
            "schema": {
                "type": "object",
                "properties": {
                    "reason": {"type": "string"},
                    "score": {"type": "integer", "minimum": 1, "maximum": 10},
                },
                "required": ["reason", "score"],
                "additionalProperties": False,
            },
        },
    }


@pytest.mark.fault("J4")
@pytest.mark.parametrize(
    "text",
    [
        WRITTEN,
        f" \n{WRITTEN}\n",
        f"```json\n{WRITTEN}\n```",
        f"```\n{WRITTEN}\n```",
        f"Here it is: {WRITTEN} Good luck!",
    ],
)
def test_what_is_read(text):
    assert FORM.read(text) == GOOD


@pytest.mark.fault("J4")
@pytest.mark.parametrize(
    "text",
    [
        "",
        "  \n",
        "8",
        "8/10",
        "Score: 8",
        "I am sorry, but I cannot help with that.",
        "null",
        "[8]",
        '"8"',
        '{"score": 8}',
        '{"reason": "x", "score": 8, "extra": 1}',
        '{"reason": "x", "Score": 8}',
        '{"reason": "x", "score": "8"}',
        '{"reason": "x", "score": "8/10"}',
        '{"reason": "x", "score": 8.5}',
        '{"reason": "x", "score": 0}',
        '{"reason": "x", "score": 11}',
        '{"reason": "x", "score": 1e400}',
        '{"reason": "x", "score": NaN}',
        '{"reason": "x", "score": Infinity}',
        '{"reason": "x", "score": true}',
        '{"reason": "x", "score": null}',
        '{"reason": "x", "score": [8]}',
        '{"reason": 1, "score": 8}',
        '{"reason": "x", "score": 1, "score": 8}',
        '{"reason": "x", "score": 8',
        '{"reason": "x", "score": 8}}',
        '{{"reason": "x", "score": 8}',
        '{"reason": "quoted", "score": 10} but I say {"reason": "x", "score": 2}',
        "__import__('os').system('true')",
        '{"reason": "x", "score": ' + "9" * 5000 + "}",
        '{"a":' * 10_000 + "}" * 10_000,
        '{"reason": "' + "x" * 30_000 + '", "score": 8}',
    ],
)
def test_what_is_not(text):
    with pytest.raises(ValueError):
        FORM.read(text)


@pytest.mark.fault("J4")
@given(st.text() | st.text(alphabet='{}[]":,.0123456789eE+-nulscor \\`'))
@example("\ud800{}")
@example('{"reason": "\ud800", "score": 8}')
def test_the_reader_never_fails_otherwise(text):
    try:
        found = FORM.read(text)
    except ValueError:
        return
    assert set(found) == {"reason", "score"}
    assert 1 <= found["score"] <= 10


@given(st.text(max_size=200), st.integers(1, 10))
def test_what_is_written_is_read_back(reason, score):
    made = {"reason": reason, "score": score}
    assert FORM.read(json.dumps(made)) == made


def test_fields():
    assert Word(("A", "B")).fits("A")
    assert not Word(("A", "B")).fits("a")
    assert not Word(("A", "B")).fits(["A"])
    assert Number(0, 1, whole=False).fits(0.5)
    assert not Number(0, 1, whole=False).fits(float("nan"))
    assert Number(1, 10).fits(8.0)
    assert not Number(0, 1).fits(False)


# ---- through a server


@pytest.mark.fault("J4")
def test_what_cannot_be_read_is_asked_for_once_more_with_the_reason():
    with Server(say("8/10"), say(WRITTEN)) as server:
        assert fill_in(client(server), FORM, [BODY]) == [GOOD]
        first, second = (b["messages"] for b in server.bodies)
    assert second[:1] == first
    assert second[1] == {"role": "assistant", "content": "8/10"}
    assert "could not be read: it holds no JSON object" in second[2]["content"]


@pytest.mark.fault("J4")
def test_what_cannot_be_read_twice_is_an_error():
    with Server(say("8/10")) as server:
        (found,) = fill_in(client(server), FORM, [BODY])
        assert len(server.bodies) == 2
    assert isinstance(found, ReplyError)
    assert "the reply '8/10' cannot be read" in str(found)


@pytest.mark.fault("J4")
def test_empty_because_thinking_used_the_budget_says_so_and_is_not_asked_again():
    def thinking(handler, body):
        made = answer(body, "")
        made["choices"][0]["finish_reason"] = "length"
        send(handler, json.dumps(made).encode())

    with Server(thinking) as server:
        (found,) = fill_in(client(server), FORM, [BODY])
        assert len(server.bodies) == 1
    assert "was cut; raise max_tokens" in str(found)


@pytest.mark.fault("J4")
def test_a_refusal_of_the_model_is_an_abstention():
    def refusing(handler, body):
        made = answer(body, None)
        made["choices"][0]["message"]["refusal"] = "I cannot judge this"
        send(handler, json.dumps(made).encode())

    with Server(refusing) as server:
        assert fill_in(client(server), FORM, [BODY]) == [None]


def test_only_those_are_asked_again_that_could_not_be_read():
    def judge(handler, body):
        first = len(body["messages"]) == 1
        text = "what?" if first and body["messages"][0]["content"] == "1" else WRITTEN
        send(handler, json.dumps(answer(body, text)).encode())

    with Server(judge) as server:
        assert fill_in(client(server), FORM, bodies(3)) == [GOOD] * 3
        assert len(server.bodies) == 4
