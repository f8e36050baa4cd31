"""The loop of drafts, differences and an answer, and the identities of its mixed reward."""

from __future__ import annotations

from itertools import product

import pytest

from posttrain.environments.bundled.render_compare import RenderCompare, drawing
from posttrain.environments.environment import Action, Call
from posttrain.records import Prompt

pytestmark = pytest.mark.paper("chen20253a4")

ROW = '<rect x="0" y="0" width="{}" height="1" fill="red"/>'
PICTURE = "rrr\n...\n..."


def begun(picture=PICTURE, **settings):
    world = RenderCompare(**settings)
    world.reset(Prompt(0, "?", {"picture": picture}, "a.jsonl:1"), 0)
    return world


def draft(width):
    return Action("", calls=(Call("render", {"svg": f"<svg>{ROW.format(width)}</svg>"}, "7"),))


def answer(width, more=""):
    return Action(f"```svg\n<svg>{ROW.format(width)}</svg>\n```{more}")


def test_a_draft_is_drawn_and_its_wrong_cells_are_named():
    world = begun()
    outcome = world.step(draft(1))
    assert (outcome.reward, outcome.done) == (None, False)
    (said,) = outcome.messages
    assert (said["role"], said["name"], said["tool_call_id"]) == ("tool", "render", "7")
    assert said["content"] == (
        "r..\n...\n...\n2 cells are wrong: row 0, column 1 is blank, should be red; "
        "row 0, column 2 is blank, should be red"
    )
    assert world.step(draft(3)).messages[0]["content"] == "Every cell is right."
    outcome = world.step(answer(3))
    assert (outcome.reward, outcome.done) == (pytest.approx(1.3), True)
    assert outcome.info == {"vision": 1.0, "format": 1.0, "tool": 1.0}


def test_golden_of_the_mixed_reward():
    """Two of three cells, one block, one of two drafts: 0.7 * 2/3 + 0.2 * 1 + 0.1 * 1/2."""
    world = begun(vision=0.7, form=0.2, tool=0.1, enough=2)
    world.step(draft(1))
    world.step(draft(1))  # the same drawing again
    assert world.step(answer(2)).reward == pytest.approx(0.7 * 2 / 3 + 0.2 + 0.05)


def test_the_last_turn_must_be_an_answer():
    world = begun(turns=2)
    assert not world.step(draft(3)).done
    outcome = world.step(draft(3))
    assert (outcome.reward, outcome.done) == (0.0, True)


def test_without_the_other_weights_it_is_the_likeness_alone():
    world = begun(vision=1.0, form=0.0, tool=0.0)
    world.step(draft(1))
    assert world.step(answer(2)).reward == pytest.approx(2 / 3)


def test_calls_never_beat_a_right_answer():
    """With any number of drafts and any answer that is not right, and even where the tool weighs most."""
    for weights in ({}, {"vision": 0.1, "form": 0.1, "tool": 5.0}):
        right = begun(**weights).step(answer(3)).reward
        for drafts, width, more in product(range(4), range(4), ("", "```svg\n<svg></svg>\n```", "no block")):
            world = begun(**weights, turns=9)
            for k in range(drafts):
                world.step(draft(k))
            reward = world.step(answer(width, more) if more != "no block" else Action("hm")).reward
            assert reward <= right
            assert (reward == right) == ((width, more) == (3, ""))


def test_calls_earn_nothing_where_the_answer_cannot_be_drawn():
    world = begun()
    world.step(draft(1))
    world.step(draft(2))
    assert world.step(Action("```svg\n<svg>hm</svg>\n```")).reward == 0.0


@pytest.mark.parametrize(
    ("action", "says"),
    [
        (Action("", calls=(Call("paint", {}),)), "Error: there is no tool 'paint'; the tools are render"),
        (Action("", calls=(Call("render", {"svg": 3}),)), "Error: render: "),
        (Action("", calls=(Call("render", {"svg": "<svg>", "x": 1}),)), "Error: render: "),
        (
            Action("", calls=(Call("render", {"svg": "<svg>hm</svg>"}),)),
            "Error: render raised DrawingError: no shape: 'hm'",
        ),
        (Action("", unread=("no JSON",)), "Error: no JSON"),
    ],
)
def test_a_wrong_call_is_an_observation(action, says):
    outcome = begun().step(action)
    assert says in outcome.messages[0]["content"]
    assert (outcome.reward, outcome.done) == (None, False)


def test_tasks_are_pictures_that_their_own_drawing_draws():
    tasks = RenderCompare.tasks(20, 3)
    assert tasks == RenderCompare.tasks(20, 3) != RenderCompare.tasks(20, 4)
    for k, task in enumerate(tasks):
        assert task["picture"] in task["prompt"][0]["content"]
        world = begun(task["picture"])
        assert world.step(Action(f"```svg\n{drawing(k, 3)}\n```")).reward == pytest.approx(1.3)


def test_data_without_a_picture_are_an_error():
    for picture in ("", "rr\n.", "xx\nxx"):
        with pytest.raises(ValueError, match=r"reads the column picture.*a\.jsonl:1"):
            begun(picture)
