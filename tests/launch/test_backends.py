"""What a run file says about processes, before any starts."""

from __future__ import annotations

from unittest.mock import Mock

import pytest

from posttrain.backends.local.learner import LocalLearner
from posttrain.backends.local.sampler import LocalSampler
from posttrain.config.load import load
from posttrain.errors import ConfigError
from posttrain.launch.backends import follow, processes_of
from posttrain.launch.run import launch, open_session

RUN = {"model": "tiny", "method": "imitation/sft", "data": "arithmetic:chat=false,size=4", "backend": "fsdp"}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("train.privacy={noise: 1}", "train.privacy"),
        ("device=mps", "device: mps"),
        ("backend.path=deepspeed", "'local' or 'fsdp'"),
        ("backend.processes=0", "backend.processes"),
    ],
)
def test_what_several_processes_cannot_do_is_said_before_a_model_is_loaded(given, message, tmp_path, monkeypatch):
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: True)
    with pytest.raises(ConfigError, match=message):
        launch(load(RUN, [given, f"output={tmp_path}"]))


def test_one_process_needs_no_group_and_follows_nobody(tmp_path, monkeypatch):
    run = load(RUN, ["backend=local", f"output={tmp_path}"])
    monkeypatch.setenv("RANK", "1")
    follow(run)
    with processes_of(run, None) as group:
        assert group is None


def test_processes_end_where_a_session_cannot_be_opened_and_where_it_cannot_be_closed(tmp_path, monkeypatch):
    closed = []
    for kind in (LocalLearner, LocalSampler):
        monkeypatch.setattr(kind, "close", lambda self: closed.append(type(self).__name__))
    run = load(RUN, ["backend=local", f"output={tmp_path}"])
    with monkeypatch.context() as patch:
        patch.setattr("posttrain.launch.run.Session", Mock(side_effect=ConfigError("no such checkpoint")))
        with pytest.raises(ConfigError, match="no such checkpoint"):
            open_session(run)
    assert closed == ["LocalSampler", "LocalLearner"]
    session = open_session(run)
    session.run.journal.close()
    monkeypatch.setattr(session.run.journal, "close", Mock(side_effect=OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        session.close()
    assert closed == ["LocalSampler", "LocalLearner"] * 2


def test_a_number_of_processes_that_torchrun_contradicts_is_an_error(monkeypatch):
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "3")
    monkeypatch.setattr("posttrain.backends.fsdp.group.join", lambda *_: Mock(size=3))
    wrong = load(RUN, ["backend.processes=4", "device=cpu"])
    with pytest.raises(ConfigError, match="processes: 4, but torchrun has started 3"), processes_of(wrong, None):
        pass
    with processes_of(load(RUN, ["backend.processes=3", "device=cpu"]), None) as group:
        assert group is not None
        assert group.size == 3


def test_the_other_processes_of_torchrun_follow_the_first(monkeypatch):
    monkeypatch.setenv("RANK", "1")
    seen = []
    monkeypatch.setattr("posttrain.backends.fsdp.follower.follow_torchrun", lambda *given: seen.append(given))
    with pytest.raises(SystemExit) as ended:
        launch(load(RUN, ["backend.timeout=7", "device=cpu"]))
    assert ended.value.code == 0
    assert seen == [("cpu", 7.0)]
