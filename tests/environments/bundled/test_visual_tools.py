"""Calls of tools in turns of JSON: what they say, the reward, and turns that are wrong."""

from __future__ import annotations

import json

import pytest

from posttrain.environments.bundled.visual_tools import VisualTools, same
from posttrain.environments.environment import Action
from posttrain.records import Prompt

pytestmark = pytest.mark.paper("su20257nq")

SCENE = [
    {"name": "sign", "colour": "red", "text": "exit", "x": 1, "y": 2},
    {"name": "cup", "colour": "blue", "text": "", "x": 4, "y": 2},
    {"name": "cup", "colour": "blue", "text": "", "x": 7, "y": 0},
]


def begun(answer="exit", **settings):
    world = VisualTools(**settings)
    world.reset(Prompt(0, "?", {"scene": SCENE, "answer": answer}, "a.jsonl:1"), 0)
    return world


def turn(*actions, **more):
    return Action(json.dumps({"actions": [{"name": n, "arguments": a} for n, a in actions], **more}))


def said(world, *actions):
    outcome = world.step(turn(*actions))
    assert (outcome.reward, outcome.done) == (None, False)
    return outcome.messages[0]["content"]


def test_tools_look_at_the_picture_and_the_answer_ends_the_episode():
    world = begun()
    assert said(world, ("point", {"param": "cup"}), ("point", {"param": "door"})) == "cup: (4, 2), (7, 0)\ndoor: none"
    assert said(world, ("zoom", {"x": 1, "y": 2}), ("ocr", {"x": 1, "y": 2})) == 'a red sign\n"exit"'
    assert said(world, ("ocr", {"x": 4, "y": 2}), ("zoom", {"x": 0, "y": 0})) == "no text\nnothing"
    outcome = world.step(turn(("Terminate", {"ans": " Exit "}), ("point", {"param": "cup"})))
    assert (outcome.reward, outcome.done, outcome.info) == (1.0, True, {"accuracy": 1.0, "format": 1.0})


def test_golden_of_the_reward():
    """Two of three turns are well formed and the answer is right: 1 + 0.3 * 2/3; wrong: 0.3 * 2/3."""
    for answer, accuracy in (("exit", 1.0), ("north", 0.0)):
        world = begun(form=0.3)
        world.step(turn(thought="hm"))
        world.step(Action("point(cup)"))
        assert world.step(turn(("Terminate", {"ans": answer}))).reward == pytest.approx(accuracy + 0.2)


def test_form_alone_never_beats_a_right_answer():
    world = begun(form=0.9, turns=2)
    world.step(turn(thought="hm"))
    outcome = world.step(turn(thought="hm"))
    assert (outcome.reward, outcome.done) == (pytest.approx(0.9), True)  # no answer in its turns
    assert begun(form=0.9).step(turn(("Terminate", {"ans": "exit"}))).reward == pytest.approx(1.9)
    assert begun().step(turn(("Terminate", {}))).reward == 0.0


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("point(cup)", "the turn is no JSON"),
        ("[" * 5000, "the turn is no JSON"),
        ("[]", "neither a thought nor actions"),
        ('{"act": 1}', "neither a thought nor actions"),
        ('{"actions": {"name": "point"}}', "must be a list"),
        ('{"actions": [{"name": "point", "arguments": "cup"}]}', "must be a list"),
        ('{"thought": "hm"}', "there is no action"),
        ('{"actions": [{"name": "segment", "arguments": {}}]}', "there is no tool 'segment'"),
        ('{"actions": [{"name": "ocr", "arguments": {"x": 1}}]}', "Error: ocr"),
    ],
)
def test_a_wrong_turn_is_an_observation(text, says):
    world = begun()
    outcome = world.step(Action(text))
    assert (outcome.reward, outcome.done) == (None, False)
    assert says in outcome.messages[0]["content"]
    assert world.step(turn(("Terminate", {"ans": "exit"}))).reward == 1.0


def test_numbers_are_numbers_and_words_are_words():
    assert same("2.0", "2")
    assert not same("two", "2")
    assert same("Red", "red ")
    assert not same("", "red")


def test_the_tools_are_enough_to_answer_every_task():
    tasks = VisualTools.tasks(40, 5)
    assert tasks == VisualTools.tasks(40, 5) != VisualTools.tasks(40, 6)
    for task in tasks:
        world = VisualTools()
        (message,) = world.reset(Prompt(0, tuple(task["prompt"]), task), 0)
        name = message["content"].split("?")[0].removesuffix(" things are in the picture").split()[-1]
        places = world.point(name).split(": ")[1]
        count, (x, y) = places.count("("), (int(n) for n in places.split(")")[0].strip("(").split(","))
        found = {
            "How": str(count),
            "What": world.ocr(x, y).strip('"'),
            "Which": world.zoom(x, y).split()[1],
        }[message["content"].split()[0]]
        assert world.step(turn(("Terminate", {"ans": found}))).reward == 1.0


def test_data_without_a_picture_are_an_error():
    with pytest.raises(ValueError, match=r"reads the columns scene and answer; a\.jsonl:1 has no scene"):
        VisualTools().reset(Prompt(0, "?", {"answer": "1"}, "a.jsonl:1"), 0)
