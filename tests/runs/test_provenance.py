"""The provenance of a run: what it takes to repeat it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from importlib import metadata

import pytest

from posttrain.runs import provenance as module
from posttrain.runs.provenance import commit, provenance, version


def git(folder, *words):
    own = ["-c", "user.name=n", "-c", "user.email=e@example.org", "-c", "commit.gpgsign=false"]
    return subprocess.run(["git", *own, *words], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


def test_it_holds_what_repeats_the_run_as_plain_data(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["posttrain", "train", "run.yaml"])
    told = provenance(7)
    assert json.loads(json.dumps(told)) == told
    assert (told["seed"], told["argv"], told["folder"]) == (7, ["posttrain", "train", "run.yaml"], str(tmp_path))
    assert told["python"] == ".".join(map(str, sys.version_info[:3]))
    assert told["versions"]["torch"] == metadata.version("torch")
    assert abs((datetime.now(UTC) - datetime.fromisoformat(told["started"])).total_seconds()) < 60


def test_a_package_that_is_not_installed_has_no_version():
    assert version("numpy") == metadata.version("numpy")
    assert version("no-such-package-anywhere") is None


def test_the_commit_is_whole_and_says_when_files_differ(tmp_path):
    if shutil.which("git") is None:
        pytest.skip("needs git")
    git(tmp_path, "init", "--quiet")
    assert commit(tmp_path) is None  # nothing is committed yet
    (tmp_path / "file").write_text("a")
    git(tmp_path, "add", "file")
    git(tmp_path, "commit", "--quiet", "--message", "first")
    git(tmp_path, "tag", "v1")
    head = git(tmp_path, "rev-parse", "HEAD")
    assert commit(tmp_path) == head
    (tmp_path / "file").write_text("b")
    assert commit(tmp_path) == f"{head}-dirty"


def test_without_git_or_a_repository_there_is_no_commit(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert commit(tmp_path) is None
    monkeypatch.setattr(module.shutil, "which", lambda _: None)
    assert commit(tmp_path) is None
