"""The game of werewolf: its rules, and that whoever knows more wins more."""

from __future__ import annotations

import re

import pytest

from posttrain.data.problem import Draws
from posttrain.environments.bundled.werewolf import OTHERS, SEER, VILLAGER, WOLF, YOU, Werewolf
from posttrain.errors import DataError
from tests.environments.playing import Played, keeps_the_rules, play, prompt_of

SEEDS = range(80)


def test_what_holds_of_every_environment() -> None:
    keeps_the_rules(Werewolf)


def share(role: str, answer) -> float:
    """The share of games that a player wins who sees the game itself."""
    won = []
    for seed in SEEDS:
        world = Werewolf()
        played = play(world, {"prompt": "", "role": role}, lambda p, w=world: answer(w, p), seed=seed)
        assert played.done
        assert all(o.reward == 0 for o in played.outcomes[:-1])
        won.append(played.reward)
    return sum(won) / len(won)


def at_random(world: Werewolf, played: Played) -> str:
    return Draws("player", len(played.outcomes), *world.alive).choose(world.choices())


def all_knowing(world: Werewolf, played: Played) -> str:
    """Strike the werewolf, or as the werewolf the seer."""
    wanted = WOLF if world.roles[YOU] != WOLF else SEER
    names = [n.casefold() for n in world.alive if world.roles[n] == wanted and n != YOU]
    return next((move for move in world.choices() if move.split()[1] in names), world.choices()[0])


@pytest.mark.parametrize("role", [WOLF, SEER, VILLAGER])
def test_knowledge_wins_more_than_chance(role: str) -> None:
    knowing, guessing = share(role, all_knowing), share(role, at_random)
    assert knowing > guessing + 0.05
    assert knowing > (0.9 if role == SEER else 0.4)


def test_a_game_by_hand() -> None:
    world = Werewolf()
    begin = world.reset(prompt_of({"prompt": "Play.", "role": WOLF}), 1)[0]["content"]
    assert begin == (
        "Play.\n\nYou are the werewolf. Night falls. Answer with one of: kill ada, kill ben, kill cleo, kill dan."
    )
    seer = next(name for name in OTHERS if world.roles[name] == SEER)
    assert sorted(world.roles.values()) == [SEER, VILLAGER, VILLAGER, VILLAGER, WOLF]
    text = world.play(f"kill {seer.casefold()}").messages[0]["content"]
    assert text.startswith(f"In the morning {seer} is dead: the role was seer.")
    assert len(re.findall(r"says: I think \w+ is the werewolf", text)) == 3
    assert "I have seen" not in text
    assert world.choices() == [f"vote {n.casefold()}" for n in OTHERS if n != seer]


def test_the_seer_learns_who_it_is_and_is_believed() -> None:
    world = Werewolf()
    world.reset(prompt_of({"prompt": "", "role": SEER}), 1)
    wolf = next(name for name in OTHERS if world.roles[name] == WOLF)
    innocent = next(name for name in OTHERS if name != wolf)
    assert world.play(f"check {wolf.casefold()}").messages[0]["content"].startswith(f"{wolf} is the werewolf. In")
    end = world.play(f"vote {wolf.casefold()}")
    assert (end.reward, end.done) == (1.0, True)
    assert end.messages[0]["content"].endswith("The village wins.")
    world = Werewolf()
    world.reset(prompt_of({"prompt": "", "role": SEER}), 1)
    assert f"{innocent} is not the werewolf." in world.play(f"check {innocent.casefold()}").messages[0]["content"]


def test_nobody_learns_what_the_seer_of_the_script_saw() -> None:
    for seed in SEEDS:
        world = Werewolf()
        world.reset(prompt_of({"prompt": "", "role": WOLF}), seed)
        assert " not the werewolf" not in world.play(world.choices()[0]).messages[0]["content"]


def test_two_answers_that_name_nobody_forfeit() -> None:
    world = Werewolf()
    world.reset(prompt_of({"prompt": "", "role": VILLAGER}), 2)
    first, second = world.play("vote you"), world.play("kill ada")
    assert (first.done, first.reward) == (False, 0.0)
    assert (second.done, second.reward, second.info) == (True, 0.0, {"won": False})


def test_an_unknown_role_is_an_error() -> None:
    with pytest.raises(DataError, match="'king' is no role"):
        Werewolf().reset(prompt_of({"prompt": "", "role": "king"}), 0)
