"""Each adapter against a stand-in of its library, which records the calls; TensorBoard also against the real one."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_args

import pytest
import yaml

from posttrain.config import load
from posttrain.config.schema import Report
from posttrain.errors import MissingExtraError
from posttrain.trackers import named
from posttrain.trackers.named import check_installed, follow
from posttrain.trackers.tracker import About

NAMES = get_args(Report.model_fields["name"].annotation)


class Fake:
    """A library of which every attribute can be called. `calls` has the arguments, `answers` what is returned."""

    def __init__(self, answers: dict[str, Any] | None = None) -> None:
        self.calls: list[tuple[str, tuple, dict]] = []
        self.answers = answers or {}

    def __getattr__(self, name: str) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            self.calls.append((name, args, kwargs))
            return self.answers.get(name, self)

        return call

    def of(self, name: str) -> list[tuple[tuple, dict]]:
        return [(args, kwargs) for called, args, kwargs in self.calls if called == name]


def about(folder: Any, online: bool = False) -> About:
    return About("f" * 32, "run-1", folder / "run-1", {"seed": 3}, "mine", online)


def told(name: str, what: About, *, step: int = 1, failed: bool = False) -> None:
    follower = follow(name, what)
    follower.metrics(step, {"loss": 0.5, "time/x:y": 2})
    follower.finish(failed=failed)
    assert not follower.failed


@pytest.mark.parametrize("name", NAMES)
def test_a_tracker_that_is_not_installed_names_its_extra(name, monkeypatch):
    monkeypatch.setattr(named, "find_spec", lambda package: None)
    with pytest.raises(MissingExtraError, match=rf"report: {name} needs .*posttrain\[{name}\]"):
        check_installed([name])
    monkeypatch.setattr(named, "find_spec", lambda package: object())
    check_installed([name])


@pytest.mark.parametrize(("step", "purge"), [(1, None), (8, 8)])
def test_tensorboard(tmp_path, monkeypatch, step, purge):
    library = Fake()
    monkeypatch.setitem(sys.modules, "tensorboardX", library)
    told("tensorboard", about(tmp_path), step=step)
    assert library.of("SummaryWriter") == [((str(tmp_path / "run-1" / "tensorboard"),), {"purge_step": purge})]
    assert library.of("add_scalar")[0] == (("loss", 0.5, step), {})
    assert len(library.of("close")) == 1


@pytest.mark.parametrize(
    ("online", "variable", "mode", "resume"),
    [(False, None, "offline", None), (True, None, "online", "allow"), (False, "online", "online", "allow")],
)
def test_wandb_sends_nothing_without_being_asked(tmp_path, monkeypatch, online, variable, mode, resume):
    library = Fake()
    monkeypatch.setitem(sys.modules, "wandb", library)
    monkeypatch.delenv("WANDB_MODE", raising=False)
    monkeypatch.delenv("WANDB_PROJECT", raising=False)
    if variable:
        monkeypatch.setenv("WANDB_MODE", variable)
    told("wandb", about(tmp_path, online=online), failed=True)
    ((_, given),) = library.of("init")
    assert (given["mode"], given["resume"], given["id"], given["name"]) == (mode, resume, "f" * 32, "run-1")
    assert (given["project"], given["config"], given["dir"]) == ("mine", {"seed": 3}, str(tmp_path / "run-1"))
    assert library.of("log") == [(({"loss": 0.5, "time/x:y": 2.0, "step": 1},), {})]
    assert library.of("finish") == [((), {"exit_code": 1})]


def test_trackio(tmp_path, monkeypatch):
    library = Fake()
    monkeypatch.setitem(sys.modules, "trackio", library)
    told("trackio", about(tmp_path), step=8)
    ((_, given),) = library.of("init")
    assert (given["project"], given["name"], given["resume"]) == ("mine", "run-1", "allow")
    assert library.of("log") == [(({"loss": 0.5, "time/x:y": 2.0},), {"step": 8})]
    assert len(library.of("finish")) == 1


@pytest.mark.parametrize("earlier", [[], [SimpleNamespace(info=SimpleNamespace(run_id="old"))]])
def test_mlflow_continues_the_run_with_our_id(tmp_path, monkeypatch, earlier):
    new = SimpleNamespace(info=SimpleNamespace(run_id="new"))
    client = Fake({"search_runs": earlier, "create_run": new})
    library = SimpleNamespace(MlflowClient=lambda uri: client.open(uri) or client)
    monkeypatch.setitem(sys.modules, "mlflow", library)
    monkeypatch.setitem(sys.modules, "mlflow.entities", SimpleNamespace(Metric=lambda *values: values))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    told("mlflow", about(tmp_path), failed=not earlier)
    run = "old" if earlier else "new"
    assert client.of("open") == [((f"sqlite:///{tmp_path.resolve()}/mlflow.db",), {})]
    ((args, given),) = client.of("log_batch")
    assert args == (run,)
    assert [(m[0], m[1], m[3]) for m in given["metrics"]] == [("loss", 0.5, 1), ("time/x_y", 2.0, 1)]
    assert client.of("set_terminated") == [((run, "FINISHED" if earlier else "FAILED"), {})]
    assert client.of("log_param") == ([] if earlier else [(("new", "seed", "3"), {})])


def test_the_real_tensorboard_writes_events(tmp_path):
    pytest.importorskip("tensorboardX")
    told("tensorboard", about(tmp_path))
    told("tensorboard", about(tmp_path), step=2)
    files = list((tmp_path / "run-1" / "tensorboard").glob("events.out.tfevents.*"))
    assert files
    assert b"loss" in b"".join(file.read_bytes() for file in files)


def test_the_page_shows_run_files_that_load():
    text = Path("docs/trackers.md").read_text(encoding="utf-8")
    least = {"model": "m", "method": "x", "data": "d"}
    reports = [
        load(least | yaml.safe_load(block)).report for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    ]
    assert [[r.name for r in report] for report in reports] == [["tensorboard"], ["tensorboard", "wandb"]]
    assert all(f"| `{name}` | `pip install 'posttrain[{name}]'`" in text for name in NAMES)


@pytest.mark.parametrize(("value", "names"), [("none", []), (["none"], []), ("wandb", ["wandb"]), ([], [])])
def test_the_short_forms_of_other_trainers(value, names):
    least = {"model": "m", "method": "x", "data": "d"}
    assert [r.name for r in load({**least, "report_to": value}).report] == names
