"""Tools and results in words, for templates that do not write them."""

import pytest

from posttrain.environments.tools.described import with_results, with_tools
from posttrain.environments.tools.find import SCHEMA, Writing, writing_of
from posttrain.environments.tools.parse import parse
from tests.border.encoders import encoder_of
from tests.border.families import FAMILIES
from tests.border.messages import result, says, system, user


@pytest.mark.parametrize("family", FAMILIES, ids=lambda f: f.name)
def test_every_template_shows_the_tools_and_their_results(family):
    """By itself or in words, and refuses nothing."""
    template = encoder_of(family).template
    writing = writing_of(template)
    arguments = {"tools": [SCHEMA]} if writing.tools else {}
    talk = with_tools(writing, [user("Nine plus four?")], [SCHEMA])
    assert '"add"' in template.question(talk, arguments)
    turn = says(family.thought + '<tool_call>\n{"name": "add", "arguments": {}}\n</tool_call>')
    answers = with_results(writing, [result("13"), result("14")])
    text = template.question([*talk, turn, *answers], arguments)
    assert "13" in text.rpartition("Nine")[2]
    assert "14" in text.rpartition("Nine")[2]
    assert (writing.tools, writing.system) == ("tools" in family.writes, "system" in family.writes)


def test_the_words():
    (first, second) = with_tools(Writing(tools=False), [user("Add.")], [SCHEMA])
    assert first["role"] == "system"
    assert '<tools>\n{"type": "function", "function": {"name": "add"' in first["content"]
    assert second == user("Add.")
    assert parse(first["content"]).unread  # an example, which no model may copy as it is
    (joint, _) = with_tools(Writing(tools=False), [system("Be brief."), user("Add.")], [SCHEMA])
    assert joint["content"] == f"Be brief.\n\n{first['content']}"
    (only,) = with_tools(Writing(tools=False, system=False), [user("Add.")], [SCHEMA])
    assert only == user(f"{first['content']}\n\nAdd.")
    assert "[name(key=value)]" in with_tools(Writing("pythonic", tools=False), [user("")], [SCHEMA])[0]["content"]
    for untouched in (Writing(), Writing(tools=False)):
        assert with_tools(untouched, [user("Add.")], [SCHEMA] if untouched.tools else []) == [user("Add.")]


def test_results_in_words():
    spoken = Writing(results=False)
    one, two = "<tool_response>\n1\n</tool_response>", "<tool_response>\n2\n</tool_response>"
    assert with_results(spoken, [result("1"), result("2")]) == [user(f"{one}\n{two}")]
    assert with_results(spoken, [result("1"), user("Go on.")]) == [user(f"{one}\nGo on.")]
    assert with_results(spoken, [user("Go on."), result("1")]) == [user("Go on."), user(one)]
    assert with_results(spoken, [result("1"), system("x"), user("y")]) == [user(one), system("x"), user("y")]
    assert with_results(Writing(), [result("1")]) == [result("1")]
