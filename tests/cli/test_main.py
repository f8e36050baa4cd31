"""What the shell sees: help without heavy imports, one message an error, its exit code, no traceback."""

from __future__ import annotations

import errno
import os
import shlex
import signal
import subprocess
import sys

import pytest
import typer

from posttrain import errors
from posttrain.cli import main as cli

RUN = [sys.executable, "-m", "posttrain"]


def fails_with(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> int:
    """The exit code of a command that raises."""
    app = typer.Typer(pretty_exceptions_enable=False)

    @app.command()
    def fail() -> None:
        raise error

    monkeypatch.setattr(cli, "app", app)
    with pytest.raises(SystemExit) as caught:
        cli.main([])
    assert isinstance(caught.value.code, int)
    return caught.value.code


def test_help_is_quick_and_imports_nothing_heavy() -> None:
    code = """
import sys, time
from posttrain.cli.main import main
try:
    main(["--help"])
except SystemExit:
    pass
heavy = {"torch", "transformers", "numpy", "pydantic", "yaml", "datasets"} & sys.modules.keys()
assert not heavy, heavy
assert time.process_time() < 0.5, time.process_time()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "train run.yaml" in done.stdout
    assert "doctor" in done.stdout


CLASSES = [
    (errors.PosttrainError("x"), 1),
    (errors.ConfigError("x"), 2),
    (errors.DataError("x"), 3),
    (errors.ModelError("x"), 4),
    (errors.NumericsError("x"), 5),
    (errors.RewardError("x"), 6),
    (errors.WorkerError("x"), 7),
    (errors.StorageError("x"), 8),
    (errors.SandboxError("x"), 9),
    (errors.OutOfMemoryError("x"), 10),
    (errors.GateError("x"), 11),
    (errors.StoppedError("x", signal.SIGINT), 130),
    (errors.StoppedError("x", signal.SIGTERM), 143),
    (errors.MissingExtraError("x", "data"), 2),
]


@pytest.mark.parametrize(("error", "code"), CLASSES)
def test_every_class_of_error_has_its_exit_code(
    error: errors.PosttrainError, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert fails_with(error, monkeypatch) == code


def test_no_class_of_error_is_missing_above() -> None:
    classes = {x for x in vars(errors).values() if isinstance(x, type) and issubclass(x, errors.PosttrainError)}
    named = {case[0].__class__ for case in CLASSES}
    assert named == classes
    assert len({code for _, code in CLASSES}) == len(CLASSES) - 1  # a missing extra is an error of the run file


@pytest.mark.fault("P6")
@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("[enforce fail at alloc_cpu.cpp:124] err == 0. DefaultCPUAllocator: can't allocate memory: you"),
        type("OutOfMemoryError", (RuntimeError,), {})("CUDA out of memory. Tried to allocate 2.00 GiB."),
    ],
    ids=["python", "torch on the processor", "torch on a GPU"],
)
def test_memory_that_runs_out_names_the_settings_to_lower(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fails_with(error, monkeypatch) == 10
    shown = capsys.readouterr().err
    assert shown.startswith("error: out of memory (")
    assert "lower train.tokens_per_device (while sampling: sampling.slots or sampling.max_tokens)" in shown
    assert "--resume" not in shown  # nothing is saved
    assert shown.count("\n") == 1


def test_the_memory_error_of_torch_is_the_one_that_we_know() -> None:
    import torch

    assert isinstance(errors.from_system_error(torch.OutOfMemoryError("CUDA out of memory")), errors.OutOfMemoryError)
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**50, dtype=torch.float64)
    assert isinstance(errors.from_system_error(caught.value), errors.OutOfMemoryError)


@pytest.mark.fault("C1")
@pytest.mark.parametrize(
    "error",
    [OSError(errno.ENOSPC, "No space left on device", "/big"), OSError(errno.EDQUOT, "Disk quota exceeded"),
     RuntimeError("I/O error: No space left on device (os error 28)")],
)  # fmt: skip
def test_a_full_disk_is_an_error_of_storage(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fails_with(error, monkeypatch) == 8
    assert "free some space and run the command again" in capsys.readouterr().err


def test_an_error_is_one_line_as_it_was_written(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    message = "data.jsonl:17: [bold]'chosen'[/bold] is missing; " + "long " * 50
    fails_with(errors.DataError(message), monkeypatch)
    assert capsys.readouterr().err == f"error: {message}\n"


def test_a_traceback_on_demand_keeps_the_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("POSTTRAIN_TRACEBACK", "1")
    assert fails_with(errors.DataError("x"), monkeypatch) == 3
    assert "Traceback" in capsys.readouterr().err


def test_an_interrupt_is_130(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert fails_with(KeyboardInterrupt(), monkeypatch) == 130
    assert "Traceback" not in capsys.readouterr().err


def test_bugs_are_not_dressed_up(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ZeroDivisionError):
        fails_with(ZeroDivisionError(), monkeypatch)


@pytest.mark.fault("F7")
def test_a_closed_stdout_is_no_crash() -> None:
    process = subprocess.Popen([*RUN, "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    errors_shown = process.stderr.read()
    process.stderr.close()
    assert process.wait() == 1
    assert errors_shown == ""


@pytest.mark.fault("F7")
@pytest.mark.parametrize("command", [["--help"], ["methods"]], ids=" ".join)
@pytest.mark.parametrize("where", ["ascii", "narrow", "no stdout", "no stderr"])
def test_a_poor_terminal_is_no_crash(command: list[str], where: str) -> None:
    poor = {"ascii": {"PYTHONUTF8": "0", "LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONCOERCECLOCALE": "0"}}
    environment = os.environ | poor.get(where, {"COLUMNS": "12", "NO_COLOR": "1"})
    closed = {"no stdout": ">&-", "no stderr": "2>&-"}.get(where, "")
    shell = f"{shlex.join([*RUN, *command])} {closed}"
    done = subprocess.run(shell, shell=True, env=environment, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert bool(done.stdout) == (where != "no stdout")


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [(["docter"], "doctor"), (["doctor", "--jsn"], "--json"), (["--verson"], "--version"), (["data", "shw"], "show")],
)
def test_misspelt_commands_and_options_are_usage_errors(
    arguments: list[str], hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)
    assert caught.value.code == 2
    assert hint in capsys.readouterr().err


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"posttrain {cli.version()}\n"


def test_a_command_with_overrides_gets_them_untouched(monkeypatch: pytest.MonkeyPatch) -> None:
    app = typer.Typer()
    given: list[str] = []

    @app.command(context_settings=cli.OVERRIDES)
    def train(context: typer.Context, run_file: str, resume: bool = False) -> None:
        given.extend([run_file, str(resume), *context.args])

    overrides = ["--train.steps", "5", "a.b=c", "--seed=3", "--train.warmup", "-1", "rewards=[a, {b: -1}]"]
    monkeypatch.setattr(cli, "app", app)
    with pytest.raises(SystemExit):
        cli.main(["run.yaml", *overrides[:3], "--resume", *overrides[3:]])
    assert given == ["run.yaml", "True", *overrides]
