"""The commit protocol: kills at every moment, full and failing disks, and choosing a checkpoint afterwards."""

import errno
import json
import os
import shutil
import sys
import threading
from pathlib import Path

import pytest
from safetensors import SafetensorError

from posttrain.errors import ConfigError, StorageError
from posttrain.machine.disk import xxh3
from posttrain.runs import checkpoint as checkpoint_module
from posttrain.runs import durable
from posttrain.runs.checkpoint import Checkpoints
from posttrain.runs.manifest import COMMITTED, MANIFEST, verify

FILES = ("model.safetensors", "optimizer/state.safetensors", "trainer_state.json")


def save(checkpoints, step, content=None):
    with checkpoints.writing(step) as folder:
        (folder / "optimizer").mkdir()
        for name in FILES:
            (folder / name).write_text(f"{name} {content or step} " * 20)


def content_of(folder):
    return (folder / "model.safetensors").read_text().split()[1]


def names(run):
    return sorted(path.name for path in (run / "checkpoints").iterdir())


# --- saving


def test_a_checkpoint_is_complete_hashed_and_pointed_to(tmp_path):
    checkpoints = Checkpoints(tmp_path)
    assert checkpoints.newest() is None
    save(checkpoints, 5)
    folder = tmp_path / "checkpoints" / "checkpoint-5"
    assert checkpoints.newest() == folder
    manifest = json.loads((folder / MANIFEST).read_text())
    assert manifest["format"] == 2
    assert set(manifest["files"]) == set(FILES)
    entry = manifest["files"]["optimizer/state.safetensors"]
    assert entry == {"size": (folder / FILES[1]).stat().st_size, "xxh3": xxh3(folder / FILES[1])}
    assert (folder / COMMITTED).read_text().strip() == xxh3(folder / MANIFEST)
    assert os.readlink(tmp_path / "latest") == "checkpoints/checkpoint-5"
    assert names(tmp_path) == ["checkpoint-5"]


def test_older_ones_go_only_after_the_new_one_is_in_place(tmp_path, monkeypatch):
    seen = []

    def discard(folder):
        seen.append((folder.name, os.readlink(tmp_path / "latest"), checkpoints.newest().name))
        real(folder)

    real = checkpoint_module.discard
    monkeypatch.setattr(checkpoint_module, "discard", discard)
    checkpoints = Checkpoints(tmp_path, keep=2)
    for step in (5, 10, 15):
        save(checkpoints, step)
    assert seen == [("checkpoint-5", "checkpoints/checkpoint-15", "checkpoint-15")]
    assert names(tmp_path) == ["checkpoint-10", "checkpoint-15"]


def test_steps_are_ordered_as_numbers(tmp_path):
    checkpoints = Checkpoints(tmp_path, keep=2)
    for step in (9, 10, 100):
        save(checkpoints, step)
    assert names(tmp_path) == ["checkpoint-10", "checkpoint-100"]
    assert checkpoints.newest().name == "checkpoint-100"


def test_keep_needs_at_least_one(tmp_path):
    with pytest.raises(ConfigError, match="keep"):
        Checkpoints(tmp_path, keep=0)


def fail_to_save(checkpoints, step, error):
    with checkpoints.writing(step) as folder:
        (folder / "model.safetensors").write_text("half")
        raise error


@pytest.mark.parametrize("error", [RuntimeError("boom"), KeyboardInterrupt()])
def test_an_error_while_writing_leaves_nothing(tmp_path, error):
    checkpoints = Checkpoints(tmp_path)
    save(checkpoints, 5)
    with pytest.raises(type(error)):
        fail_to_save(checkpoints, 10, error)
    assert names(tmp_path) == ["checkpoint-5"]
    save(checkpoints, 15)
    assert checkpoints.newest().name == "checkpoint-15"


@pytest.mark.parametrize(
    "error",
    [OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), SafetensorError("I/O error: No space left on device")],
)
def test_a_full_disk_is_said_and_the_previous_checkpoint_stays(tmp_path, error):
    checkpoints = Checkpoints(tmp_path, keep=1)
    save(checkpoints, 5)
    with pytest.raises(StorageError, match=r"checkpoint-10: not saved \(.*No space left.*checkpoints are intact"):
        fail_to_save(checkpoints, 10, error)
    assert names(tmp_path) == ["checkpoint-5"]
    assert content_of(checkpoints.newest()) == "5"


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_disk_that_fails_at_any_call(tmp_path, monkeypatch, call):
    """The k-th call fails permanently: the save reports it or, once in place, is kept; nothing is ever lost."""
    monkeypatch.setattr(durable, "WAITS", ())
    real = getattr(os, call)
    for k in range(1, 100):
        run = tmp_path / str(k)
        checkpoints, calls = Checkpoints(run, keep=1), 0
        save(checkpoints, 5)

        def failing(*args, **kwargs):
            nonlocal calls
            calls += 1
            if calls == k:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            return real(*args, **kwargs)

        monkeypatch.setattr(os, call, failing)
        try:
            save(checkpoints, 10)
            saved = True
        except StorageError:
            saved = False
        monkeypatch.setattr(os, call, real)
        assert not list(run.glob("checkpoints/.*"))
        found = checkpoints.newest()
        assert verify(found) == []
        assert content_of(found) == found.name.removeprefix("checkpoint-")
        assert not saved or content_of(found) == "10"
        if calls < k:
            break
    assert k > 3


@pytest.mark.fault("C11")
def test_passing_errors_of_the_disk_are_tried_again(tmp_path, monkeypatch):
    monkeypatch.setattr(durable, "WAITS", (0.0, 0.0))
    real, left = os.replace, 2

    def flaky(source, target):
        nonlocal left
        if Path(target).name == "checkpoint-5" and left:
            left -= 1
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
        real(source, target)

    monkeypatch.setattr(os, "replace", flaky)
    save(Checkpoints(tmp_path), 5)
    assert left == 0
    assert names(tmp_path) == ["checkpoint-5"]


@pytest.mark.fault("C11")
def test_lasting_errors_of_the_disk_are_not_tried_again(tmp_path, monkeypatch):
    calls = []

    def full(source, target):
        calls.append(target)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        durable.write_text(tmp_path / "a", "text")
    assert len(calls) == 1
    assert list(tmp_path.iterdir()) == []


def test_everything_reaches_the_disk_before_what_relies_on_it(tmp_path, monkeypatch):
    events = []
    sync, replace = os.fsync, os.replace

    def recorded_sync(descriptor):
        events.append(("sync", Path(os.readlink(f"/proc/self/fd/{descriptor}")).name))
        sync(descriptor)

    def recorded_replace(source, target):
        events.append(("rename", Path(target).name))
        replace(source, target)

    monkeypatch.setattr(os, "fsync", recorded_sync)
    monkeypatch.setattr(os, "replace", recorded_replace)
    save(Checkpoints(tmp_path), 5)

    def at(kind, name):
        return max(i for i, event in enumerate(events) if event == (kind, name))

    manifest, committed, published = at("rename", MANIFEST), at("rename", COMMITTED), at("rename", "checkpoint-5")
    for name in ("model.safetensors", "state.safetensors", "trainer_state.json", "optimizer", ".MANIFEST.json.partial"):
        assert at("sync", name) < manifest
    assert manifest < at("sync", ".COMMITTED.partial") < committed < at("sync", ".checkpoint-5.partial") < published
    assert published < at("sync", "checkpoints") < at("rename", "latest")


def test_a_link_among_the_files_is_refused(tmp_path):
    def save_a_link():
        with Checkpoints(tmp_path).writing(5) as folder:
            (folder / "model.safetensors").symlink_to("/etc/passwd")

    with pytest.raises(StorageError, match="plain files only"):
        save_a_link()
    assert names(tmp_path) == []


def test_a_failing_delete_is_a_warning(tmp_path, monkeypatch, caplog):
    checkpoints = Checkpoints(tmp_path, keep=1)
    save(checkpoints, 5)
    real = shutil.rmtree

    def stuck(path, ignore_errors=False):
        if not ignore_errors and "checkpoint-5" in str(path):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        real(path, ignore_errors=ignore_errors)

    monkeypatch.setattr(shutil, "rmtree", stuck)
    save(checkpoints, 10)
    assert checkpoints.newest().name == "checkpoint-10"
    assert "checkpoint-5: not removed (Permission denied)" in caplog.text


def test_a_file_system_without_links_is_a_warning(tmp_path, monkeypatch, caplog):
    def refuse(*args, **kwargs):
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(Path, "symlink_to", refuse)
    save(Checkpoints(tmp_path), 5)
    assert "latest: not updated" in caplog.text
    assert Checkpoints(tmp_path).newest().name == "checkpoint-5"


def test_two_saves_at_once_wait_for_each_other(tmp_path):
    checkpoints, inside, most = Checkpoints(tmp_path, keep=5), 0, 0
    ready = threading.Barrier(4)

    def work(step):
        nonlocal inside, most
        ready.wait()
        with checkpoints.writing(step) as folder:
            inside += 1
            most = max(most, inside)
            (folder / "x").write_text("x" * 10_000)
            inside -= 1

    threads = [threading.Thread(target=work, args=(step,)) for step in (1, 2, 3, 4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1
    assert names(tmp_path) == [f"checkpoint-{n}" for n in (1, 2, 3, 4)]


# --- killed while saving


def killed_at(moment, work):
    """Run `work()` in a forked process that dies before its `moment`-th change to the file system."""
    pid = os.fork()
    if pid == 0:
        count = 0

        def tick(event="", arguments=()):
            nonlocal count
            if event in ("os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.symlink", "open", "sync"):
                count += 1
                if count == moment:
                    os._exit(9)

        sync = os.fsync
        os.fsync = lambda descriptor: (tick("sync"), sync(descriptor))
        sys.addaudithook(tick)
        work()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 9


@pytest.mark.paper("000:[27]")
@pytest.mark.parametrize("step", [10, 5], ids=["next step", "same step again"])
def test_a_kill_at_any_moment_loses_nothing(tmp_path, monkeypatch, step):
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)  # a kill loses nothing that was written
    found = set()
    for moment in range(1, 500):
        run = tmp_path / str(moment)
        save(Checkpoints(run, keep=1), 5, "old")
        killed = killed_at(moment, lambda run=run: save(Checkpoints(run, keep=1), step, "new"))
        newest = Checkpoints(run, keep=1).newest()
        assert newest is not None, moment
        assert [verify(folder) for folder in run.glob("checkpoints/checkpoint-*") if verify(folder)] == [], moment
        assert (run / "latest").is_symlink(), moment
        found.add(content_of(newest))
        save(Checkpoints(run, keep=1), 15)
        assert names(run) == ["checkpoint-15"], moment
        assert sorted(path.name for path in run.iterdir()) == ["checkpoints", "latest"], moment
        if not killed:
            break
    assert not killed
    assert moment > 30
    assert found == {"old", "new"}


def test_an_unfinished_save_is_ignored_with_one_warning_and_removed_by_the_next(tmp_path, caplog):
    checkpoints = Checkpoints(tmp_path)
    save(checkpoints, 5)
    partial = tmp_path / "checkpoints" / ".checkpoint-10.partial"
    partial.mkdir()
    (partial / "model.safetensors").write_text("half")
    assert checkpoints.newest().name == "checkpoint-5"
    assert [record.getMessage() for record in caplog.records] == [f"{partial}: an unfinished save, ignored"]
    save(checkpoints, 15)
    assert names(tmp_path) == ["checkpoint-15", "checkpoint-5"]


def test_a_folder_that_was_never_committed_is_ignored_and_removed(tmp_path, caplog):
    checkpoints = Checkpoints(tmp_path)
    save(checkpoints, 5)
    foreign = tmp_path / "checkpoints" / "checkpoint-10"
    foreign.mkdir()
    (foreign / "model.safetensors").write_text("from a file system that renames file by file")
    assert checkpoints.newest().name == "checkpoint-5"
    assert "checkpoint-10: skipped: COMMITTED is missing" in caplog.text
    save(checkpoints, 15)
    assert names(tmp_path) == ["checkpoint-15", "checkpoint-5"]


# --- finding one again


def test_the_newest_sound_one_is_found_and_each_skipped_one_explained(tmp_path, caplog):
    checkpoints = Checkpoints(tmp_path, keep=4)
    for step in (5, 10, 15, 20):
        save(checkpoints, step)
    folder = tmp_path / "checkpoints"
    (folder / "checkpoint-20" / "model.safetensors").write_text("short")
    (folder / "checkpoint-15" / COMMITTED).unlink()
    assert checkpoints.newest() == folder / "checkpoint-10"
    first, second = (record.getMessage() for record in caplog.records)
    assert first.startswith(f"{folder}/checkpoint-20: skipped: model.safetensors: 5 bytes, ")
    assert second == f"{folder}/checkpoint-15: skipped: COMMITTED is missing: the save did not finish"


def test_a_named_step_is_sound_or_an_error_that_helps(tmp_path):
    checkpoints = Checkpoints(tmp_path)
    save(checkpoints, 5)
    save(checkpoints, 10)
    assert checkpoints.at(5).name == "checkpoint-5"
    with pytest.raises(StorageError, match=r"no such checkpoint; there is: 5, 10"):
        checkpoints.at(7)
    (tmp_path / "checkpoints" / "checkpoint-5" / "trainer_state.json").unlink()
    with pytest.raises(StorageError, match=r"not usable: trainer_state.json: missing; resume from another step"):
        checkpoints.at(5)


def test_resuming_earlier_forgets_the_later_course(tmp_path):
    checkpoints = Checkpoints(tmp_path, keep=3)
    for step in (5, 10, 15):
        save(checkpoints, step)
    assert checkpoints.truncate_after(5) == 2
    assert names(tmp_path) == ["checkpoint-5"]
    assert os.readlink(tmp_path / "latest") == "checkpoints/checkpoint-5"
    assert checkpoints.newest().name == "checkpoint-5"
    assert checkpoints.truncate_after(5) == 0
