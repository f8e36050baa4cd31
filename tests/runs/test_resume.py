"""Which checkpoint a run resumes from, what it reports about the others, and what it refuses."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import Any

import pytest
from tests.harness.processes import ForkServer
from tests.harness.runs import SAVED_EVERY_STEP as CONTENT
from tests.harness.runs import metrics, run, same_bits

from posttrain.cli.train import completed
from posttrain.errors import ConfigError, DataError, ModelError, StorageError
from posttrain.models.loading import tiny
from posttrain.runs.metrics import read_metrics
from posttrain.viewer.display import Display


class Notes(Display):
    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


@pytest.fixture(scope="module")
def whole(memory: Path) -> Any:
    return run(CONTENT, memory / "whole")


@pytest.fixture
def begun(memory: Path, request: pytest.FixtureRequest) -> Path:
    """The output folder of a run of three steps, each with its checkpoint."""
    output = memory / request.node.name
    run({**CONTENT, "train": {**CONTENT["train"], "steps": 3}}, output)
    return output


def damage(output: Path, step: int) -> None:
    file = output / "run" / "checkpoints" / f"checkpoint-{step}" / "model.safetensors"
    os.truncate(file, file.stat().st_size // 2)


@pytest.mark.fault("C2")
def test_the_newest_usable_one_is_taken_and_the_others_named(begun: Path, whole: Any) -> None:
    damage(begun, 3)
    notes = Notes()
    resumed = run(CONTENT, begun, resume=True, display=notes)
    said = r"resuming from .*checkpoint-2; skipped checkpoint-3 \(model.safetensors: \d+ bytes, \d+ were saved\)"
    assert re.fullmatch(said, notes.notes[0])
    assert metrics(resumed) == metrics(whole)
    assert same_bits(resumed, whole)


def test_a_run_of_which_everything_is_damaged_is_not_begun_anew(begun: Path) -> None:
    for step in (1, 2, 3):
        damage(begun, step)
    with pytest.raises(StorageError, match="no checkpoint can be used: skipped checkpoint-3 .*checkpoint-1"):
        run(CONTENT, begun, resume=True)
    assert len(os.listdir(begun / "run" / "checkpoints")) == 3


@pytest.mark.parametrize("which", ["2", "checkpoint", "run"])
def test_a_step_or_a_folder_can_be_named(which: str, begun: Path, whole: Any) -> None:
    notes, home = Notes(), begun / "run"
    named = {"checkpoint": str(home / "checkpoints" / "checkpoint-2"), "run": str(home)}.get(which, which)
    content = CONTENT if which == "2" else {k: v for k, v in CONTENT.items() if k != "name"}  # the folder says which
    resumed = run(content, begun, resume=named, display=notes)
    assert notes.notes[0] == f"resuming from {home}/checkpoints/checkpoint-{3 if which == 'run' else 2}"
    assert resumed.directory == home
    assert metrics(resumed) == metrics(whole)
    assert same_bits(resumed, whole)


@pytest.mark.parametrize(
    ("which", "error", "said"),
    [
        ("7", StorageError, "checkpoint-7: no such checkpoint; there is: 1, 2, 3"),
        ("nowhere", ConfigError, "'nowhere' is no step and no checkpoint or folder of a run"),
        ("never", StorageError, "this run exists; continue it with --resume"),
    ],
)
def test_what_is_not_there_is_said(which: str, error: type[Exception], said: str, begun: Path) -> None:
    with pytest.raises(error, match=re.escape(said)):
        run(CONTENT, begun, resume=which)


def test_the_option_may_stand_alone_or_have_a_value(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "checkpoint-2").mkdir()
    assert completed(["run.yaml", "--resume"]) == ["run.yaml", "--resume=latest"]
    assert completed(["--resume", "run.yaml", "a=1"]) == ["--resume=latest", "run.yaml", "a=1"]
    assert completed(["run.yaml", "--resume", "train.steps=3"]) == ["run.yaml", "--resume=latest", "train.steps=3"]
    for value in ("40", "latest", "never", "checkpoint-2"):
        assert completed(["run.yaml", "--resume", value, "a=1"]) == ["run.yaml", f"--resume={value}", "a=1"]
    assert completed(["run.yaml", "--resume=40"]) == ["run.yaml", "--resume=40"]
    assert completed([]) == []


# ---- with other settings than before


def files(folder: Path) -> dict[str, bytes]:
    return {str(f.relative_to(folder)): f.read_bytes() for f in folder.rglob("*") if f.is_file() and f.name != ".lock"}


@pytest.mark.fault("V5")
def test_more_epochs_with_other_batches_end_where_the_epochs_say(memory: Path) -> None:
    length = {"epochs": 2, "steps": None, "schedule": "linear"}
    first = {**CONTENT, "train": {**CONTENT["train"], **length}}
    run(first, memory / "epochs")
    more = {"epochs": 3, "prompts_per_step": 16, "learning_rate": 3e-3}
    notes = Notes()
    resumed = run({**first, "train": {**first["train"], **more}}, memory / "epochs", resume=True, display=notes)
    rows = metrics(resumed)
    assert [row["epoch"] for row in rows][-2:] == [2.0, 3.0]
    assert rows[-1]["learning_rate"] == pytest.approx(1e-3)  # a third is left of the decay
    assert "16 records a step, 4 before: 1 steps are left" in notes.notes[1]


@pytest.mark.fault("V6")
@pytest.mark.parametrize(
    "changed",
    [
        {"data": "arithmetic:chat=false,size=15"},
        {"method": "preference/dpo"},
        {"seed": 1},
        {"name": "run", "resume": "7"},
    ],
    ids=["data", "method", "seed", "step"],
)
def test_a_refused_resume_leaves_every_file_as_it_was(changed: dict[str, Any], begun: Path) -> None:
    before = files(begun)
    which = changed.pop("resume", True)
    with pytest.raises((ConfigError, DataError, StorageError)):
        run({**CONTENT, **changed}, begun, resume=which)
    assert files(begun) == before


@pytest.mark.fault("V6")
def test_what_is_left_behind_by_going_back_is_set_aside(begun: Path, whole: Any) -> None:
    before = files(begun / "run")
    resumed = run({**CONTENT, "train": {**CONTENT["train"], "steps": 3}}, begun, resume="1")  # it was finished
    assert metrics(resumed) == metrics(whole)[:3]
    aside = files(resumed.directory / "replaced" / "attempt_2")
    assert aside["metrics.jsonl"] == before["metrics.jsonl"]
    assert {n for n in aside if n.endswith("COMMITTED")} == {f"checkpoints/checkpoint-{n}/COMMITTED" for n in (2, 3)}
    assert aside["final/model.safetensors"] == before["final/model.safetensors"]


def test_a_run_without_checkpoints_begins_anew_beside_its_results(memory: Path) -> None:
    content = {**CONTENT, "train": {**CONTENT["train"], "steps": 1, "save_every": None, "save_minutes": 0}}
    first = run(content, memory / "anew")
    before = files(first.directory)
    longer = {**content, "train": {**content["train"], "steps": 2}}
    notes = Notes()
    again = run(longer, memory / "anew", resume=True, display=notes)
    aside = again.directory / "replaced" / "attempt_2"
    assert f"starting from the beginning; its results until now are in {aside}" in notes.notes[0]
    assert len(metrics(again)) == 2
    for name in ("metrics.jsonl", "final/model.safetensors"):
        assert (aside / name).read_bytes() == before[name]


@pytest.mark.fault("V8")
@pytest.mark.parametrize("name", ["run", None])
def test_a_failed_start_gives_its_name_back(name: str | None, tmp_path: Path) -> None:
    with pytest.raises(DataError):
        run({**CONTENT, "name": name, "data": str(empty(tmp_path / "data.jsonl"))}, tmp_path / "out")
    assert not [*(tmp_path / "out").glob("*")]


def empty(file: Path) -> Path:
    file.write_text('{"prompt": "a"}\n')
    return file


def test_a_procedure_that_has_become_shorter_saves_nothing(memory: Path) -> None:
    (memory / "twice.py").write_text(
        "def twice(session, demonstrations, *, rounds=2):\n"
        "    for _ in range(rounds):\n"
        "        session.train('imitation/sft', demonstrations, rewards=(), steps=1)\n"
    )
    content = {k: v for k, v in CONTENT.items() if k != "method"} | {"data": {"demonstrations": CONTENT["data"]}}
    procedure = {"path": str(memory / "twice.py")}
    first = run({**content, "procedure": procedure}, memory / "shorter")
    before = files(first.directory)
    with pytest.raises(ConfigError, match="the procedure has become shorter"):
        run({**content, "procedure": {**procedure, "rounds": 1}}, memory / "shorter", resume=True)
    assert files(first.directory) == before


# ---- another model than before


@pytest.mark.fault("C5")
def test_a_model_of_another_size_is_refused_with_both(begun: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiny, "WIDTH", 48)
    said = r"policy: trunk.*embed_tokens.weight is \[\d+, 96\] in the checkpoint and \[\d+, 48\] in this run"
    with pytest.raises(ModelError, match=said):
        run(CONTENT, begun, resume=True)


@pytest.mark.fault("C5")
def test_another_number_format_is_refused_with_the_key_that_restores_it(begun: Path) -> None:
    with pytest.raises(
        ModelError, match=r"is float32 in the checkpoint and bfloat16 in .* resume with float32 as model.dtype$"
    ):
        run({**CONTENT, "model": {"path": "tiny", "dtype": "bfloat16"}}, begun, resume=True)


@pytest.mark.fault("C5")
def test_another_rank_of_the_adapters_is_refused_with_both(memory: Path) -> None:
    def with_rank(rank: int) -> dict[str, Any]:
        return {**CONTENT, "model": {"path": "tiny", "lora": {"rank": rank}}}

    run({**with_rank(4), "train": {**CONTENT["train"], "steps": 1}}, memory / "rank")
    with pytest.raises(ModelError, match=r"lora_A.* is \[4, 96\] in the checkpoint and \[8, 96\] in this run"):
        run(with_rank(8), memory / "rank", resume=True)


@pytest.mark.fault("C5")
def test_another_tokenizer_is_refused_with_both(begun: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiny, "ROLES", ("system", "user", "assistant", "robot"))
    with pytest.raises(ModelError, match=r"its tokenizer has \d+ tokens \(\w+\), that of this run \d+ tokens \(\w+\)"):
        run(CONTENT, begun, resume=True)


def test_another_method_is_refused_with_both(begun: Path) -> None:
    with pytest.raises(ConfigError, match="saved in stage 0-sft, and this run is in 0-dpo"):
        run({**CONTENT, "method": "preference/dpo"}, begun, resume=True)


# ---- the machine around the run


@pytest.mark.fault("P7")
def test_a_second_run_in_the_same_folder_is_refused_while_the_first_lives(memory: Path) -> None:
    output = memory / "two"
    endless = {**CONTENT, "train": {"steps": 100_000, "prompts_per_step": 4}}
    with ForkServer() as server:
        pid = server.start(endless, output)
        deadline = time.monotonic() + 60
        while not (output / "run" / "metrics.jsonl").exists():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        with pytest.raises(StorageError, match=f"process {pid} is writing this run"):
            run(CONTENT, output, resume=True)
        os.kill(pid, 9)
        assert server.end() == -9
    resumed = run(CONTENT, output, resume=True)  # the lock of a dead process holds nobody up
    assert len(metrics(resumed)) == 4


@pytest.mark.fault("P8")
def test_a_clock_that_jumps_backwards_changes_nothing(
    tmp_path: Path, whole: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [time.time()]

    def backwards() -> float:
        now[0] -= 3600
        return now[0]

    monkeypatch.setattr(time, "time", backwards)
    made = run(CONTENT, tmp_path)
    assert metrics(made) == metrics(whole)
    rows = list(read_metrics(made.directory / "metrics.jsonl"))
    assert all(value >= 0 for row in rows for name, value in row.items() if "time" in name or "per_second" in name)


@pytest.mark.fault("P10")
def test_no_home_no_cache_and_no_name(tmp_path: Path, whole: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = "/proc/nowhere"
    for name in ("HOME", "HF_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, nowhere)
    for name in ("USER", "LOGNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    with ForkServer() as server:  # which imports everything there
        assert server.run(CONTENT, tmp_path) == 0, (tmp_path / "output.txt").read_text()
    assert (tmp_path / "run" / "final" / "model.safetensors").read_bytes()
