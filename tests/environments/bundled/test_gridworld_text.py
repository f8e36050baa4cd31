"""The rules of the gridworld, and the best way through it."""

from __future__ import annotations

import pytest

from posttrain.environments.bundled.gridworld_text import GridworldText, cells_of
from posttrain.environments.value_iteration import optimal_values
from posttrain.errors import DataError
from tests.environments.playing import keeps_the_rules, play, prompt_of

MAP = "S.#\n.O.\n..G"
TASK = {"prompt": "Walk.", "map": MAP}


def test_what_holds_of_every_environment() -> None:
    keeps_the_rules(GridworldText)


def test_a_way_by_hand() -> None:
    world = GridworldText(turn_cost=0.125)
    assert world.reset(prompt_of(TASK), 0)[0]["content"].endswith(
        "You are in row 1, column 1. You can go: east, south."
    )
    assert world.choices() == ["east", "south"]
    moves = iter(["west", "South", "south", "east", "Action: east."])
    played = play(world, TASK, lambda _: next(moves))
    assert [o.reward for o in played.outcomes] == [-0.125, -0.125, -0.125, -0.125, 0.875]
    assert played.outcomes[0].messages[0]["content"].startswith("That is not possible. You are in row 1, column 1.")
    assert played.outcomes[-1].info == {"won": True}


def test_a_pit_ends_it_without_anything() -> None:
    moves = iter(["east", "south"])
    played = play(GridworldText(), TASK, lambda _: next(moves))
    assert (played.done, played.reward, played.outcomes[-1].info) == (True, 0.0, {"won": False})


def test_the_best_player_wins_on_every_map_in_the_fewest_steps() -> None:
    for task in GridworldText.tasks(20, 3):
        world = GridworldText()
        played = play(world, task, lambda _, w=world: w.optimal()[0])
        assert played.reward == 1.0
        best = optimal_values(world.table(), 0.95)[next(c for c, k in world.cells.items() if k == "S")]
        assert best == pytest.approx(0.95 ** (len(played.outcomes) - 1))


def test_values_with_slips_by_hand() -> None:
    """S between a pit and a wall, the goal ahead: a step east falls to the side with probability 0.2 / 2."""
    world = GridworldText(slip=0.2)
    world.reset(prompt_of({"prompt": "", "map": "###\n#SG\n#O#"}), 0)
    value = optimal_values(world.table(), 0.9)[1, 1]
    assert value == pytest.approx(0.8 / (1 - 0.1 * 0.9))
    assert world.optimal(0.9) == ["east"]


def test_slips_come_from_the_seed_and_about_as_often_as_said() -> None:
    world, task = GridworldText(slip=0.5), {"prompt": "", "map": "...G\n...#\nS.##"}
    ends = []
    for seed in range(200):
        world.reset(prompt_of(task), seed)
        world.play("east")
        ends.append(world.at)
    assert 80 < sum(at == (2, 1) for at in ends) < 120
    assert set(ends) == {(2, 1), (1, 0), (2, 0)}


@pytest.mark.parametrize("drawing", ["", "S.", "SSG", "S?G", "nonsense"])
def test_what_is_no_map_is_an_error(drawing: str) -> None:
    with pytest.raises(DataError, match=r"rows.jsonl:3.*is no map"):
        cells_of(drawing, "rows.jsonl:3")
