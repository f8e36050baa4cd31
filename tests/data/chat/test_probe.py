"""What a template leaves out is found whatever else the text says, once for each shape of conversation."""

import json

from posttrain.data.chat.probe import Probe
from posttrain.errors import DataError

TALK = [
    {"role": "system", "content": "4"},
    {"role": "user", "content": "2+2?"},
    {"role": "assistant", "content": "<think>4</think>4", "tool_calls": [{"id": "x", "function": {"name": "4"}}]},
    {"role": "tool", "content": "4"},
    {"role": "assistant", "content": "4", "reasoning_content": "4"},
]
SETTINGS = {"tools": [{"name": "4"}], "documents": [{"text": "4"}], "enable_thinking": False}


def missing(render, talk=TALK, settings=SETTINGS, probe=None):
    return (probe or Probe()).missing(talk, settings, render, answer_next=False)


def test_a_template_that_writes_everything():
    assert missing(lambda talk, settings: json.dumps([talk, settings])) == set()


def test_a_template_that_writes_contents_only():
    left_out = missing(lambda talk, settings: " ".join(m["content"] for m in talk if m["role"] != "tool"))
    assert left_out == {("call", 2), ("content", 3), ("thought", 4), ("tools", 0), ("documents", 0)}


def test_a_template_that_writes_what_stands_behind_thoughts():
    left_out = missing(lambda talk, settings: " ".join(m["content"].split("</think>")[-1] for m in talk))
    assert {part for part in left_out if part[0] in ("content", "thought")} == {("thought", 2), ("thought", 4)}


def test_ids_and_other_settings_are_left_as_they_are():
    def render(talk, settings):
        assert talk[2]["tool_calls"][0]["id"] == "x"
        assert settings["enable_thinking"] is False
        return json.dumps([talk, settings])

    missing(render)
    assert TALK[0] == {"role": "system", "content": "4"}


def test_a_shape_is_probed_until_nothing_is_missing():
    rendered = []

    def render(talk, settings):
        rendered.append(talk)
        return "" if "/off" in talk[0]["content"] else talk[0]["content"]

    probe = Probe()
    found = [missing(render, [{"role": "user", "content": text}], {}, probe) for text in ("a /off", "a", "b", "c")]
    assert found == [{("content", 0)}, set(), set(), set()]
    assert len(rendered) == 2
    missing(render, [{"role": "user", "content": "a"}], {"enable_thinking": True}, probe)
    missing(render, [{"role": "user", "content": "a"}], {"enable_thinking": False}, probe)
    missing(render, [{"role": "user", "content": ""}], {}, probe)
    assert len(rendered) == 5


def test_a_template_that_refuses_the_words_tells_nothing():
    def render(talk, settings):
        raise DataError("the template checks names")

    assert missing(render) == set()
