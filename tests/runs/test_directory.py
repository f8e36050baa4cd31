"""Run directories: names, contents, refusals, and locks with dead and living owners."""

import errno
import json
import logging
import os
import signal
import socket
import time
from contextlib import contextmanager

import pytest
import yaml

from posttrain.errors import ConfigError, StorageError
from posttrain.runs import durable, lock, names
from posttrain.runs.directory import RunDirectory
from posttrain.runs.lock import Owner, RunLock

CONFIG = {"method": "online/grpo", "train": {"steps": 3, "learning_rate": 1e-6, "betas": (0.9, 0.95)}}


@contextmanager
def children(count, work):
    """Forked processes that run `work()`, report whether it succeeded, and stay alive inside the block."""
    say, wait, pids = os.pipe(), os.pipe(), []
    for _ in range(count):
        if (pid := os.fork()) == 0:
            os.close(wait[1])
            try:
                kept = work()  # noqa: F841
                os.write(say[1], b"+")
            except StorageError:
                os.write(say[1], b"-")
            os.read(wait[0], 1)
            os._exit(0)
        pids.append(pid)
    answers = b"".join(os.read(say[0], 1) for _ in range(count))
    try:
        yield pids, answers.decode()
    finally:
        os.close(wait[1])
        for pid in pids:
            os.waitpid(pid, 0)
        for end in (*say, wait[0]):
            os.close(end)


def test_a_new_run_describes_itself(tmp_path):
    with RunDirectory.create(tmp_path, "first", CONFIG, seed=7) as run:
        assert run.path == tmp_path / "first"
        assert yaml.safe_load((run.path / "config.yaml").read_text()) == CONFIG | {
            "train": CONFIG["train"] | {"betas": [0.9, 0.95]}
        }
        facts = json.loads((run.path / "run.json").read_text())
    assert facts["seed"] == 7
    assert facts["attempt"] == 1
    assert facts["host"] == socket.gethostname()
    assert facts["versions"]["torch"][0].isdigit()
    assert {"argv", "git", "platform", "python", "started"} <= facts.keys()
    assert run.logs == run.path / "logs" / "attempt_1"
    assert (run.logs / "config.yaml").read_text() == (run.path / "config.yaml").read_text()


def test_automatic_names_count_up_and_follow_the_hint(tmp_path):
    names = [RunDirectory.create(tmp_path, None, {}, hint="online/grpo smollm2").name for _ in range(3)]
    assert names == [f"online-grpo-smollm2-00{n}" for n in (1, 2, 3)]
    assert RunDirectory.create(tmp_path, None, {}, hint="dpo").name == "dpo-001"


def test_automatic_names_are_never_shared_between_processes(tmp_path, monkeypatch):
    monkeypatch.setattr(names, "taken_numbers", lambda parent, hint: [])  # as if all had looked at once
    with children(6, lambda: RunDirectory.create(tmp_path, None, {}, hint="a")) as (_, answers):
        assert answers == "++++++"
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"a-00{n}" for n in range(1, 7)]


@pytest.mark.fault("D16", "F6")
@pytest.mark.parametrize("name", ["", "..", "a/b", ".hidden", "a b", "/abs"])
def test_a_name_cannot_lead_elsewhere(tmp_path, name):
    with pytest.raises(ConfigError, match="run name"):
        RunDirectory.create(tmp_path, name, {})
    assert list(tmp_path.iterdir()) == []


def test_an_existing_run_is_refused_with_the_remedy(tmp_path):
    RunDirectory.create(tmp_path, "r", {}).close()
    (tmp_path / "r" / "metrics.jsonl").write_text("{}\n")
    with pytest.raises(StorageError, match=r"--resume, or choose another name"):
        RunDirectory.create(tmp_path, "r", {})
    with RunDirectory.create(tmp_path, "r", {}, resume=True) as run:  # the refusal left no lock behind
        assert run.attempt == 2
        assert json.loads((run.path / "run.json").read_text())["attempt"] == 2


def test_a_run_without_a_result_gives_its_name_back(tmp_path):
    run = RunDirectory.create(tmp_path, "r", {})
    assert run.give_back()
    assert not run.path.exists()
    RunDirectory.create(tmp_path, "r", {}).close()  # as one that was killed while its model was loaded
    run = RunDirectory.create(tmp_path, "r", {"seed": 1})
    (run.path / "samples").mkdir()
    (run.path / "metrics.jsonl").touch()
    assert run.attempt == 2
    assert run.give_back()


def test_what_rewards_have_printed_stays_and_the_name_is_free(tmp_path):
    run = RunDirectory.create(tmp_path, "r", {})
    (run.path / "rewards.log").write_text("why")
    assert not run.give_back()
    run.close()
    RunDirectory.create(tmp_path, "r", {}).close()


@pytest.mark.parametrize("result", ["metrics.jsonl", "rounds/a.jsonl", "checkpoints/checkpoint-1/model.safetensors"])
def test_a_run_with_a_result_stays(tmp_path, result):
    run = RunDirectory.create(tmp_path, "r", {})
    (run.path / result).parent.mkdir(parents=True, exist_ok=True)
    (run.path / result).write_text("{}")
    assert not run.give_back()
    run.close()
    with pytest.raises(StorageError, match="this run exists"):
        RunDirectory.create(tmp_path, "r", {})
    later = RunDirectory.claimed(tmp_path, "r", {}, resume=True)
    (run.path / result).unlink()
    assert not later.give_back()  # it was not this attempt that began the run


def test_a_claimed_directory_is_only_locked_before_it_is_begun(tmp_path):
    RunDirectory.create(tmp_path, "r", {"seed": 1}).close()
    before = {f: f.read_bytes() for f in tmp_path.rglob("*") if f.is_file() and f.name != ".lock"}
    with RunDirectory.claimed(tmp_path, "r", {"seed": 2}, resume=True) as run:
        run.add(dropped={"a": [1]})
        with pytest.raises(StorageError, match="is writing this run"):
            RunDirectory.claimed(tmp_path, "r", {}, resume=True)
    assert {f: f.read_bytes() for f in tmp_path.rglob("*") if f.is_file() and f.name != ".lock"} == before
    with RunDirectory.claimed(tmp_path, "r", {"seed": 2}, resume=True) as run:
        run.add(dropped={"a": [1]})
        run.begin()
    assert json.loads((tmp_path / "r" / "run.json").read_text())["dropped"] == {"a": [1]}


def test_a_folder_with_a_config_of_somebody_else_is_not_taken(tmp_path):
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / "config.yaml").write_text("mine: 1")
    with pytest.raises(StorageError, match="not a run directory"):
        RunDirectory.create(tmp_path, "r", {})


def test_an_empty_folder_can_be_used_and_a_strange_one_cannot_even_with_resume(tmp_path):
    (tmp_path / "empty").mkdir()
    RunDirectory.create(tmp_path, "empty", {}).close()
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("mine")
    with pytest.raises(StorageError, match="not a run directory"):
        RunDirectory.create(tmp_path, "thesis", {}, resume=True)


def test_resume_takes_the_newest_automatic_name_or_starts_the_first(tmp_path):
    RunDirectory.create(tmp_path, None, {}, hint="a", resume=True).close()
    RunDirectory.create(tmp_path, None, {}, hint="a").close()
    with RunDirectory.create(tmp_path, None, {}, hint="a", resume=True) as run:
        assert (run.name, run.attempt) == ("a-002", 2)


def test_resume_reports_changed_settings(tmp_path, caplog):
    RunDirectory.create(tmp_path, "r", CONFIG).close()
    changed = CONFIG | {"train": CONFIG["train"] | {"steps": 5}}
    RunDirectory.create(tmp_path, "r", changed, resume=True).close()
    assert [record.getMessage() for record in caplog.records] == ["resumed with train.steps: 5, was 3"]


@pytest.mark.fault("F6")
def test_an_output_that_cannot_be_written_is_said(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=r"file.*choose another output directory"):
        RunDirectory.create(tmp_path / "file", "r", {})

    def read_only(*args, **kwargs):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(tmp_path / "r"))

    monkeypatch.setattr(durable.os, "replace", read_only)
    with pytest.raises(StorageError, match="Read-only file system"):
        RunDirectory.create(tmp_path, "r", {})
    monkeypatch.undo()
    RunDirectory.create(tmp_path, "r", {}, resume=True).close()  # the failure left no lock behind


@pytest.mark.fault("P7")
def test_a_live_owner_is_named_and_a_killed_one_is_replaced(tmp_path, caplog):
    with children(1, lambda: RunDirectory.create(tmp_path, "r", {})) as ([pid], answer):
        assert answer == "+"
        with pytest.raises(StorageError, match=f"process {pid} is writing this run"):
            RunDirectory.create(tmp_path, "r", {}, resume=True)
        os.kill(pid, signal.SIGKILL)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)  # dead, but still a zombie with its number
        with RunDirectory.create(tmp_path, "r", {}, resume=True) as run:
            assert run.attempt == 2
    assert f"process {pid} is gone" in caplog.text


def test_the_same_process_cannot_open_a_run_twice_until_it_closes_it(tmp_path):
    run = RunDirectory.create(tmp_path, "r", {})
    with pytest.raises(StorageError, match=str(os.getpid())):
        RunDirectory.create(tmp_path, "r", {}, resume=True)
    run.close()
    run.close()
    RunDirectory.create(tmp_path, "r", {}, resume=True).close()


def test_a_number_that_another_process_got_later_is_not_the_owner(tmp_path, caplog):
    me = Owner.current()
    lock = tmp_path / ".lock"
    lock.write_text(json.dumps({"pid": me.pid, "host": me.host, "born": "earlier"}))
    RunLock(lock).acquire()
    assert "is gone" in caplog.text
    assert json.loads(lock.read_text()) == {"pid": me.pid, "host": me.host, "born": me.born}


def test_an_owner_on_another_machine_is_respected_with_the_way_out(tmp_path):
    lock = tmp_path / ".lock"
    lock.write_text(json.dumps({"pid": 1, "host": "elsewhere", "born": ""}))
    with pytest.raises(StorageError, match=r"on elsewhere .* delete .*\.lock"):
        RunLock(lock).acquire()


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"pid": 1}', '{"pid": 9999999999999999999, "host": "%", "born": ""}']
)
def test_a_lock_file_without_a_possible_owner_is_free(tmp_path, content):
    path = tmp_path / ".lock"
    path.write_text(content.replace("%", socket.gethostname()))
    RunLock(path).acquire()
    assert json.loads(path.read_text())["pid"] == os.getpid()


def test_of_many_that_find_the_same_dead_owner_one_wins(tmp_path, monkeypatch):
    path, write = tmp_path / ".lock", lock.write_owner
    path.write_text(json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "born": "earlier"}))
    monkeypatch.setattr(lock, "write_owner", lambda *what: (time.sleep(0.1), write(*what)))  # time to race
    with children(8, lambda: RunLock(path).acquire()) as (_, answers):
        assert sorted(answers) == sorted("+-------")


def test_a_forked_child_does_not_release_its_parents_lock(tmp_path):
    lock = RunLock(tmp_path / ".lock")
    lock.acquire()
    with children(1, lock.release):
        assert json.loads(lock.path.read_text())["pid"] == os.getpid()
    lock.release()
    assert lock.path.read_text() == ""


def test_create_configures_no_logging(tmp_path):
    before = list(logging.getLogger().handlers), logging.getLogger("posttrain").handlers[:]
    RunDirectory.create(tmp_path, "r", {}).close()
    assert (list(logging.getLogger().handlers), logging.getLogger("posttrain").handlers) == before
