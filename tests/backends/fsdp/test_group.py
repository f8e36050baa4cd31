"""Processes that start, run the same calls, and end with the first one."""

from __future__ import annotations

import os
import re
import signal
import socket
import sys
import time

import pytest
import torch

from posttrain.backends.fsdp import group as module
from posttrain.backends.fsdp.group import Child, Group, start
from posttrain.errors import ConfigError, WorkerError
from tests.backends.fsdp import pool
from tests.backends.fsdp.nursery import Forked, child


class Adder:
    """Adds what every process has."""

    def __init__(self, group: Group, first: float) -> None:
        self.group = group
        self.total = torch.full((), first)

    def add(self, own: float) -> list[float] | None:
        self.total += self.group.added(torch.tensor(own))
        return self.group.gathered(self.total.item())

    def refuse(self) -> None:
        raise ConfigError("not so")


@pytest.fixture
def two(monkeypatch):
    pool.close()
    monkeypatch.setattr(module, "_child", child)
    group = start(2, timeout=60)
    yield group
    group.close()


def test_every_process_runs_a_call_and_an_error_of_the_user_ends_none(two, float64):
    number = two.make(Adder, 1.0)
    with pytest.raises(ConfigError, match="not so"):
        two.call(number, "refuse")
    assert two.call(number, "add", each=[2.0, 3.0]) == [6.0, 6.0]
    two.drop(number)
    two.make(Adder, 0.0)
    assert number not in two.objects


@pytest.mark.fault("W9")
def test_the_others_end_when_the_first_is_killed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    killed = child(0, 2, 0, "cpu", 60, tmp_path)
    assert killed.process.wait(30) is not None
    other = Forked(int((tmp_path / "other").read_text()))
    assert other.wait(30) is not None
    assert re.search("Connection (closed|reset) by peer", (tmp_path / "rank-1.log").read_text())


@pytest.mark.fault("W3")
def test_a_process_that_hangs_is_noticed(monkeypatch):
    pool.close()
    monkeypatch.setattr(module, "_child", child)
    group = start(2, timeout=2)
    number = group.make(Adder, 0.0)
    os.kill(group.children[1].process.pid, signal.SIGSTOP)
    with pytest.raises(WorkerError, match=r"has not answered for 2 s \(backend.timeout\)"):
        group.call(number, "add", 1.0)
    group.close()


@pytest.mark.fault("W8")
def test_ports_that_are_in_use_do_not_matter(monkeypatch):
    taken = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
    pool.close()
    monkeypatch.setattr(module, "_child", child)
    group = start(2, timeout=60)
    assert group.call(group.make(Adder, 0.0), "add", 1.0) == [2.0, 2.0]
    folder = group.children[1].log.parent
    assert folder.is_dir()
    group.close()
    assert not folder.exists()
    for server in taken:
        server.close()


def test_a_process_that_does_not_start_is_named_with_its_last_words(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "executable", "/bin/sh")
    pool.close()
    begun = time.monotonic()
    with pytest.raises(WorkerError, match="process 1 of backend: fsdp did not start; it ended with exit code"):
        start(2, logs=tmp_path)
    assert time.monotonic() - begun < 60


def test_a_child_tells_how_it_ended(tmp_path):
    class Ended:
        def poll(self) -> int:
            return -9

    (tmp_path / "log").write_text("first\nlast words\n")
    assert Child(Ended(), tmp_path / "log").ended() == f"by signal 9 (last words; all of it in {tmp_path / 'log'})"  # type: ignore[arg-type]
