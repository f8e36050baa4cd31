"""What a template has left out is found, and what it has written in another form is not reported."""

import json

import pytest

from posttrain.data.chat.left_out import Written

CALL = {"function": {"name": "weather", "arguments": {"city": "Paris", "days": 2, "units": ["C", "mm"]}}}


@pytest.mark.parametrize(
    "text",
    [
        "x Say  \n hello. y",
        json.dumps({"content": "Say hello."}),
    ],
)
def test_white_space_and_json_make_no_difference(text):
    assert not Written(text).lacks_content({"content": " Say hello.\n"})


@pytest.mark.parametrize("dump", [json.dumps, lambda x: json.dumps(x, ensure_ascii=False)])
def test_escaped_letters_are_found(dump):
    words = 'a "b" \n é <c>'
    assert not Written(dump(words)).lacks_content({"content": words})
    assert not Written(dump(words).replace("<", "\\u003c").replace(">", "\\u003e")).lacks_content({"content": words})


def test_words_that_are_not_there():
    assert Written("user: Hi").lacks_content({"content": "Be brief."})
    assert not Written("user: Hi").lacks_content({"content": ""})


def test_thoughts_in_the_content_and_under_keys():
    message = {"content": "<think>\ntwo and two\n</think>\n\n4"}
    assert not Written("<think> two and two </think> 4").lacks_thought(message)
    assert Written("4").lacks_thought(message)
    assert not Written("4").lacks_content(message)
    assert Written("4").lacks_thought({"content": "4", "reasoning_content": "two"})
    assert not Written("two 4").lacks_thought({"content": "4", "reasoning_content": "two", "thinking": "2"})


def test_calls_and_tools():
    message = {"tool_calls": [CALL]}
    assert Written('weather {"city": "Paris", "days": 2, "units": ["C", "mm"]}').missing_call(message) is None
    assert Written("weather(city='Paris', days=2, units=['C', 'mm'])").missing_call(message) is None
    assert Written("").missing_call(message) == "weather"
    assert Written("weather()").missing_call(message) == "weather"
    as_text = {"tool_calls": [{"function": {"name": "weather", "arguments": '{"city": "Paris"}'}}]}
    assert Written("weather(city=Paris)").missing_call(as_text) is None
    assert Written("city").missing_tool([{"function": {"name": "weather"}}, {"name": "time"}]) == "weather"
    assert Written("weather time").missing_tool([{"function": {"name": "weather"}}, {"name": "time"}]) is None
