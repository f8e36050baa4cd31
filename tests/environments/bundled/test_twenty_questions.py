"""The rules of twenty questions, a player who halves what is left, and one who guesses."""

from __future__ import annotations

import pytest

from posttrain.environments.bundled.twenty_questions import PROPERTIES, THINGS, TwentyQuestions
from posttrain.errors import DataError
from tests.environments.playing import Played, keeps_the_rules, play, prompt_of


def test_what_holds_of_every_environment() -> None:
    keeps_the_rules(TwentyQuestions)


def test_answers() -> None:
    moves = iter(["Does it fly?", "Is it an animal?", "Is it alive and does it fly?", "Hm?", "A dog?", "Is it an ant?"])
    played = play(TwentyQuestions(), {"prompt": "", "secret": "ant"}, lambda _: next(moves))
    assert [o.messages[0]["content"].split(".")[0].split("!")[0] for o in played.outcomes] == [
        *("No", "Yes", "I cannot say", "I cannot say", "No, that is not it", "Yes"),
    ]
    assert played.reward == 1.0
    assert played.outcomes[-1].info == {"won": True, "questions": 6}


def halving(played: Played, left: set[str], asked: list[str]) -> str:
    """Ask for the property that divides what is left most evenly; name the last thing."""
    if asked:
        having = set(PROPERTIES[asked[-1]][1].split())
        left &= having if played.text.startswith("Yes") else set(THINGS) - having
    if len(left) == 1:
        return f"Is it a {next(iter(left))}?"
    asked.append(min(PROPERTIES, key=lambda p: abs(len(left) - 2 * len(left & set(PROPERTIES[p][1].split())))))
    return f"Thought.\nIs this right: {PROPERTIES[asked[-1]][0].split()[0]}?"


def test_halving_finds_everything_in_twelve_questions() -> None:
    for thing in THINGS:
        left, asked = set(THINGS), []
        played = play(TwentyQuestions(questions=12), {"prompt": "", "secret": thing}, lambda p: halving(p, left, asked))
        assert played.reward == 1.0, thing


def test_guessing_through_the_list_ends_at_the_third() -> None:
    guesses = iter(THINGS)
    played = play(TwentyQuestions(), {"prompt": "", "secret": THINGS[3]}, lambda _: next(guesses))
    assert (len(played.outcomes), played.reward, played.done) == (3, 0.0, True)
    assert [o.messages[0]["content"] for o in played.outcomes] == [
        "No, that is not it. 19 questions left.",
        "No, that is not it. 18 questions left.",
        "No, that is not it.",
    ]
    assert played.outcomes[-1].info == {"won": False, "questions": 3}


def test_naming_all_at_once_is_no_guess() -> None:
    played = play(TwentyQuestions(questions=2), {"prompt": "", "secret": "cat"}, lambda _: " ".join(THINGS))
    assert (len(played.outcomes), played.reward) == (2, 0.0)


def test_each_thing_comes_once_before_any_comes_again() -> None:
    secrets = [task["secret"] for task in TwentyQuestions.tasks(2 * len(THINGS), 4)]
    assert sorted(secrets[: len(THINGS)]) == THINGS == sorted(secrets[len(THINGS) :])


def test_an_unknown_secret_is_an_error() -> None:
    with pytest.raises(DataError, match="'moon' is none of the things"):
        TwentyQuestions().reset(prompt_of({"prompt": "", "secret": "moon"}), 0)
