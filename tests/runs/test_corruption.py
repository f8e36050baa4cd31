"""A thousand damaged checkpoints: each is detected before any of it is used, and nothing is ever unpickled."""

from __future__ import annotations

import logging
import os
import pickle
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from posttrain.config.load import load
from posttrain.errors import StorageError
from posttrain.launch.run import launch
from posttrain.models.loading import tiny
from posttrain.runs import directory_journal, state
from posttrain.runs.checkpoint import Checkpoints
from posttrain.runs.directory import RunDirectory
from posttrain.runs.manifest import COMMITTED, MANIFEST
from posttrain.seeds import seed_for

CONTENT: dict[str, Any] = {
    "model": "tiny",
    "method": "online/ppo",
    "data": "arithmetic:chat=false,size=8",
    "rewards": ["exact_match"],
    "sampling": {"max_tokens": 2},
    "scoring": {"workers": 1},
    "train": {"steps": 3, "prompts_per_step": 2, "save_every": 1, "keep": 3, "learning_rate": 1e-3},
    "name": "run",
}


@pytest.fixture(scope="module")
def run(memory: Path) -> Path:
    """A run with the checkpoints of three steps of a very tiny model."""
    folder = memory / "runs"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiny, "WIDTH", 16)
        patch.setattr(tiny, "LAYERS", 1)
        patch.setattr(tiny, "ATTENTION_HEADS", 2)
        launch(load(CONTENT, [f"output={folder}"]))
        launch(load(CONTENT, [f"output={folder}", "name=other", "seed=1"]))
    return folder / "run"


class Bomb:
    """A pickle that runs code when it is opened."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.canary),)


# Each damages a checkpoint and says whether that made a difference.
Damage = Callable[[Path, random.Random], bool]


def some_file(folder: Path, draw: random.Random) -> Path:
    return draw.choice(sorted(f for f in folder.rglob("*") if f.is_file()))


def flip(folder: Path, draw: random.Random) -> bool:
    file = some_file(folder, draw)
    content = bytearray(file.read_bytes())
    content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
    file.write_bytes(content)
    return True


def truncate(folder: Path, draw: random.Random) -> bool:
    file = some_file(folder, draw)
    os.truncate(file, draw.randrange(file.stat().st_size))
    return True


def extend(folder: Path, draw: random.Random) -> bool:
    with some_file(folder, draw).open("ab") as file:
        file.write(draw.randbytes(draw.randrange(1, 100)))
    return True


def zero(folder: Path, draw: random.Random) -> bool:
    """A block that never reached the disk."""
    file = some_file(folder, draw)
    content = bytearray(file.read_bytes())
    start = draw.randrange(len(content))
    lost = content[start : start + 512]
    content[start : start + 512] = bytes(len(lost))
    file.write_bytes(content)
    return any(lost)


def delete(folder: Path, draw: random.Random) -> bool:
    some_file(folder, draw).unlink()
    return True


def swap(folder: Path, draw: random.Random) -> bool:
    one, two = some_file(folder, draw), some_file(folder, draw)
    first, second = one.read_bytes(), two.read_bytes()
    one.write_bytes(second)
    two.write_bytes(first)
    return first != second


def from_another_step(folder: Path, draw: random.Random) -> bool:
    file = some_file(folder, draw)
    other = folder.with_name("checkpoint-2") / file.relative_to(folder)
    before, after = file.read_bytes(), other.read_bytes()
    file.write_bytes(after)
    return before != after


def renamed_checkpoint(folder: Path, draw: random.Random) -> bool:
    shutil.rmtree(folder)
    shutil.copytree(folder.with_name(draw.choice(["checkpoint-1", "checkpoint-2"])), folder)
    return True


def checkpoint_of_another_run(folder: Path, draw: random.Random) -> bool:
    shutil.rmtree(folder)
    shutil.copytree(folder.parents[2] / "other" / "checkpoints" / folder.name, folder)
    return True


def add_a_pickle(folder: Path, draw: random.Random) -> bool:
    name = draw.choice(["optimizer.pt", "pytorch_model.bin", "scheduler.pt", "rng_state.pth", "training_args.bin"])
    (folder / name).write_bytes(pickle.dumps(Bomb(folder.parents[2] / "canary")))
    return True


def become_a_pickle(folder: Path, draw: random.Random) -> bool:
    some_file(folder, draw).write_bytes(pickle.dumps(Bomb(folder.parents[2] / "canary")))
    return True


def link(folder: Path, draw: random.Random) -> bool:
    """The same bytes, behind a symbolic link to a file outside the folder."""
    file = some_file(folder, draw)
    outside = folder.parents[2] / f"outside-{draw.random()}"
    shutil.move(file, outside)
    file.symlink_to(outside)
    return True


DAMAGES: list[Damage] = [
    flip, flip, flip, truncate, extend, zero, delete, swap, from_another_step, renamed_checkpoint,
    checkpoint_of_another_run, add_a_pickle, become_a_pickle, link,
]  # fmt: skip


@pytest.mark.fault("C2", "C3", "C4", "C7", "C8")
def test_a_thousand_damaged_checkpoints_are_found_and_none_is_loaded(
    run: Path, memory: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR, "posttrain.runs.checkpoint")

    def loaded(*_: object, **__: object) -> None:
        raise AssertionError("something of a damaged checkpoint was read")

    for module, name in ((state, "decode"), (directory_journal, "read_state"), (pickle, "loads"), (pickle, "load")):
        monkeypatch.setattr(module, name, loaded)
    home = memory / "here" / "run"
    shutil.copytree(run, home)
    shutil.copytree(run.parent / "other", memory / "here" / "other")
    folder, sound = home / "checkpoints" / "checkpoint-3", run / "checkpoints" / "checkpoint-3"
    checkpoints = Checkpoints(home, run=identity(run))
    touched: set[str] = set()
    damaged = found = 0
    for number in range(2000):
        draw = random.Random(seed_for("corruption", number))
        damage = DAMAGES[number % len(DAMAGES)]
        if not damage(folder, draw):  # two files that are equal were swapped
            continue
        damaged += 1
        touched |= {damage.__name__}
        newest = checkpoints.newest()
        found += newest is not None and newest.name == "checkpoint-2"
        assert found == damaged, (number, damage.__name__)
        with pytest.raises(StorageError, match="checkpoint-3: not usable"):
            checkpoints.at(3)
        shutil.rmtree(folder)
        shutil.copytree(sound, folder)
        if damaged == 1000:
            break
    assert (damaged, found) == (1000, 1000)
    assert touched == {d.__name__ for d in DAMAGES}
    assert checkpoints.newest() == folder
    assert not (memory / "here" / "canary").exists()


def identity(run: Path) -> str:
    with RunDirectory.create(run.parent, run.name, {}, resume=True) as directory:
        return directory.id


@pytest.mark.fault("C3")
def test_every_bit_of_the_marks_counts(run: Path, tmp_path: Path) -> None:
    """Flip every bit of both small files, also those of line ends, which a text reader would miss."""
    home = tmp_path / "run"
    shutil.copytree(run, home)
    checkpoints, folder = Checkpoints(home, run=identity(run)), home / "checkpoints" / "checkpoint-3"
    for name in (COMMITTED, MANIFEST):
        content = (folder / name).read_bytes()
        for place in (*range(0, len(content), 29), len(content) - 1):
            for bit in range(8):
                flipped = bytearray(content)
                flipped[place] ^= 1 << bit
                (folder / name).write_bytes(flipped)
                assert checkpoints._verify(folder) != [], (name, place, bit)
        (folder / name).write_bytes(content)
    assert checkpoints._verify(folder) == []
