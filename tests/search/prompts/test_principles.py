import pytest

from posttrain.errors import ConfigError
from posttrain.search.prompts.principles import PRINCIPLES, Given, asked, ways

pytestmark = pytest.mark.paper("000:[81]")
QUESTION = "Please tell me, what is 2 + 2? Thank you."


def test_there_are_twenty_six():
    assert len(PRINCIPLES) == 26


@pytest.mark.parametrize("name", PRINCIPLES)
def test_asking_twice_changes_nothing_more(name):
    one = asked(name, QUESTION)
    assert one != QUESTION
    assert asked(name, one) == one


@pytest.mark.parametrize("name", [n for n in PRINCIPLES if n != "no_politeness"])
def test_the_question_is_kept(name):
    assert QUESTION in asked(name, QUESTION)


def test_golden_texts():
    assert asked("no_politeness", QUESTION) == "tell me, what is 2 + 2?"
    assert asked("no_politeness", "Thanks") == "Thanks"
    assert asked("audience", "Why?", Given(audience="a pilot")) == "Why?\nThe audience is a pilot."
    assert asked("role", "Why?", Given(role="a pilot")) == "You are a pilot.\nWhy?"
    assert asked("repeat", "Go slowly.", Given(word="slowly")) == "Go slowly. slowly slowly"
    assert asked("format", "Why?") == "###Instruction###\nWhy?\n###Answer###"
    assert (
        asked("thoughts_and_examples", "Why?", Given(examples="E"))
        == "E\nWhy?\nThink step by step, as in the examples."
    )


def test_a_principle_that_there_is_not_is_an_error():
    with pytest.raises(KeyError):
        asked("shout", "Why?")


def test_what_a_run_file_names_is_known_before_anything_is_asked():
    made = ways(("audience", "think"), {"audience": "a pilot"})
    assert {name: way("Why?") for name, way in made.items()} == {
        "audience": "Why?\nThe audience is a pilot.",
        "think": "Why?\nThink step by step.",
    }
    with pytest.raises(ConfigError, match=r"names: unknown 'thinks' \(did you mean 'think'\?\)"):
        ways(("tip", "thinks"), {})
    with pytest.raises(ConfigError, match=r"given: unknown 'roles' \(did you mean 'role'\?\); audience, role"):
        ways(("tip",), {"roles": "x"})
    with pytest.raises(ConfigError, match="no principle to compare"):
        ways((), {})
