"""What the shell sees: help without heavy imports, one message an error, its exit code, no traceback."""

from __future__ import annotations

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


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.PosttrainError("x"), 1),
        (errors.ConfigError("x"), 2),
        (errors.DataError("x"), 3),
        (errors.ModelError("x"), 4),
        (errors.NumericsError("x"), 5),
        (errors.RewardError("x"), 6),
        (errors.WorkerError("x"), 7),
        (errors.StorageError("x"), 8),
        (errors.MissingExtraError("x", "data"), 2),
    ],
)
def test_every_class_of_error_has_its_exit_code(
    error: errors.PosttrainError, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert fails_with(error, monkeypatch) == code


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


def test_a_closed_stdout_is_no_crash() -> None:
    process = subprocess.Popen([*RUN, "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    errors_shown = process.stderr.read()
    process.stderr.close()
    assert process.wait() == 1
    assert errors_shown == ""


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
