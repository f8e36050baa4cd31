"""Comparisons of the embedded model: complete, repeatable, resumable, and refused where they cannot be."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from posttrain.errors import ConfigError, StorageError
from posttrain.evaluation.compare.cell import due
from posttrain.evaluation.compare.grid import compare
from tests.evaluation.compare.given import quick
from tests.harness.runs import Interrupt, PowerCut

METHODS = ["preference/dpo", "preference/simpo", "preference/kto"]


def test_every_method_at_every_seed_from_the_same_start(tmp_path):
    made = compare(METHODS, quick(tmp_path), seeds=2, output=tmp_path)
    assert {m: sorted(runs) for m, runs in made.curves.items()} == dict.fromkeys(("dpo", "simpo", "kto"), [0, 1])
    for runs in made.curves.values():
        for curve in runs.values():
            assert [p["step"] for p in curve] == [0, 1, 2]
            assert curve[0]["margin"] == 0
            assert curve[-1]["margin"] > 0
    ends = {m: runs[0][-1]["margin"] for m, runs in made.curves.items()}
    assert len(set(ends.values())) == 3
    assert made.curves["dpo"][0][-1] != made.curves["dpo"][1][-1]


def test_the_same_comparison_gives_the_same_bits_in_whatever_company(tmp_path):
    one = compare(METHODS, quick(tmp_path), seeds=1, output=tmp_path / "one")
    two = compare(METHODS[1:2], quick(tmp_path), seeds=2, output=tmp_path / "two")
    assert one.curves["simpo"][0] == two.curves["simpo"][0]


def test_a_killed_comparison_goes_on_with_what_is_missing(tmp_path):
    task = quick(tmp_path)
    whole = compare(METHODS[:2], task, seeds=2, output=tmp_path, name="whole")
    with pytest.raises(Interrupt):
        compare(METHODS[:2], task, seeds=2, output=tmp_path, name="cut", display=PowerCut(after=5))
    cells = {file: file.stat().st_mtime_ns for file in (tmp_path / "cut" / "cells").iterdir()}
    assert sorted(file.name for file in cells) == ["dpo-0.json", "simpo-0.json"]
    resumed = compare(METHODS[:2], task, seeds=2, output=tmp_path, name="cut", resume=True)
    assert resumed.curves == whole.curves
    assert all(file.stat().st_mtime_ns == before for file, before in cells.items())


def test_more_seeds_and_methods_can_be_added_but_not_other_settings(tmp_path):
    task = quick(tmp_path)
    compare(METHODS[:1], task, seeds=1, output=tmp_path, name="a")
    more = compare(METHODS[:2], task, seeds=2, output=tmp_path, name="a", resume=True)
    assert len(more.curves["simpo"]) == 2
    with pytest.raises(ConfigError, match="was made with another task.*start a new comparison"):
        compare(METHODS[:1], task, seeds=1, settings={"rate": 2e-3}, output=tmp_path, name="a", resume=True)
    with pytest.raises(StorageError, match="--resume"):
        compare(METHODS[:1], task, seeds=1, output=tmp_path, name="a")


def test_a_damaged_cell_is_named(tmp_path):
    task = quick(tmp_path)
    made = compare(METHODS[:1], task, seeds=1, output=tmp_path, name="a")
    cell = made.directory / "cells" / "dpo-0.json"
    cell.write_text(cell.read_text()[:50])
    with pytest.raises(StorageError, match=r"dpo-0.json: cannot be read .* delete it and --resume"):
        compare(METHODS[:1], task, seeds=1, output=tmp_path, name="a", resume=True)


def test_a_cell_says_what_was_run(tmp_path):
    made = compare(["preference/dpo:beta=0.5,learning_rate=2e-3"], quick(tmp_path), seeds=1, output=tmp_path)
    (file,) = (made.directory / "cells").iterdir()
    told = json.loads(file.read_text())
    assert told["settings"] == {"beta": 0.5}
    assert told["learning_rate"] == 2e-3
    assert told["task"] == {"path": str(tmp_path / "quick.py")}
    plain = compare(["preference/dpo"], quick(tmp_path), seeds=1, output=tmp_path / "b")
    assert plain.curves["dpo"][0] != next(iter(made.curves.values()))[0]


def test_what_cannot_run_stops_before_anything_is_trained(tmp_path):
    with pytest.raises(ConfigError, match="online_dpo reads prompts; the task has no prompts .it has demonstrations"):
        compare(["preference/dpo", "online/online_dpo"], quick(tmp_path), seeds=1, output=tmp_path, name="a")
    assert not (tmp_path / "a" / "cells").exists()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"stesp": 3}, r"\.stesp: unknown setting \(did you mean 'steps'\?\); settings steps, rate"),
        ({"steps": "many"}, r"\.steps: 'many': Input should be a valid integer"),
    ],
)
def test_settings_of_a_task_are_checked(tmp_path, settings, words):
    with pytest.raises(ConfigError, match=words):
        compare(METHODS[:1], quick(tmp_path), settings=settings, output=tmp_path)


def test_unknown_tasks(tmp_path):
    with pytest.raises(ConfigError, match=r"no task 'gold'; there are gold_reward, human_pairs"):
        compare(METHODS[:1], "gold", output=tmp_path)
    with pytest.raises(ConfigError, match="task human_pairs needs data: give --data FILE"):
        compare(METHODS[:1], "human_pairs", output=tmp_path)
    (tmp_path / "empty.py").write_text("")
    with pytest.raises(ConfigError, match=r"defines no function empty\(folder, seed\)"):
        compare(METHODS[:1], str(tmp_path / "empty.py"), output=Path(tmp_path))


def test_points_are_dense_at_the_start_and_end_with_the_last_step():
    assert sorted(due(64, 8)) == [1, 4, 9, 16, 25, 36, 49, 64]
    assert sorted(due(3, 8)) == [1, 2, 3]
    assert max(due(100, 3)) == 100
