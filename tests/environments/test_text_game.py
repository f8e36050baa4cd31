"""How a move is read, and what a game makes of a prompt."""

from __future__ import annotations

import pytest

from posttrain.environments.environment import Action, Outcome
from posttrain.environments.text_game import TextGame, observed, plain
from posttrain.records import Prompt


@pytest.mark.parametrize(
    ("text", "move"),
    [
        ("north", "north"),
        ("I think I should\n\nGo  North.\n", "go north"),
        ("<think>west?\nno</think>\nAction: `go north`", "go north"),
        ("> take key", "take key"),
        ("My move: **east**", "east"),
        ("", ""),
        ("</think>", ""),
        ("<think>north", "<think>north"),
        ("north or south", "north or south"),
    ],
)
def test_the_move_is_the_last_line(text: str, move: str) -> None:
    assert plain(text) == move


class Mirror(TextGame):
    """Says what was played."""

    def begin(self, prompt: Prompt, seed: int) -> str:
        return f"Seed {seed}."

    def play(self, move: str) -> Outcome:
        return observed(move, turns=1)


def test_the_first_observation_stands_below_the_prompt() -> None:
    assert Mirror().reset(Prompt(0, "Play."), 3) == ({"role": "user", "content": "Play.\n\nSeed 3."},)
    turns = ({"role": "system", "content": "Be brief."}, {"role": "user", "content": "Play."})
    assert Mirror().reset(Prompt(0, turns), 3) == (turns[0], {"role": "user", "content": "Play.\n\nSeed 3."})


def test_a_turn_that_gained_nothing_is_worth_0() -> None:
    outcome = Mirror().step(Action("I go.\nEast", "I go.\nEast"))
    assert outcome == Outcome(({"role": "user", "content": "east"},), 0.0, False, {"turns": 1})
    assert Mirror().choices() == ()
    assert not observed("on").done
