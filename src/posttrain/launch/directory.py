"""The directory of a run: which one a run file means, whether it may be resumed, and its journal."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from posttrain.config.load import resolved
from posttrain.errors import ConfigError, StoppedError
from posttrain.machine.kill_points import maybe_kill
from posttrain.runs.checkpoint import NAME
from posttrain.runs.decisive import settings_of
from posttrain.runs.directory import RunDirectory
from posttrain.runs.directory_journal import DirectoryJournal
from posttrain.runs.ending import FinishedError, is_finished, read_ending
from posttrain.runs.log import RunLog
from posttrain.runs.sampled_tokens import TokenTexts
from posttrain.training.source import GIVEN

if TYPE_CHECKING:
    from posttrain.config.schema import RunFile


def resumed(run: RunFile, which: str) -> tuple[RunFile, str | None]:
    """The run file with the run directory that a path names, and the checkpoint: "latest", a step, or none."""
    if which == "never":
        return run, None
    if which == "latest" or (which.isascii() and which.isdigit()):
        return run, which
    path = Path(which).absolute()
    checkpoint = NAME.fullmatch(path.name)
    directory = path.parent.parent if checkpoint else path
    if not path.is_dir() or not ((directory / "checkpoints").is_dir() or (directory / "run.json").is_file()):
        raise ConfigError(
            f"resume: {which!r} is no step and no checkpoint or folder of a run; to begin a new run with the weights "
            "of a checkpoint, set model to its folder"
        )
    step = checkpoint[1] if checkpoint else "latest"
    return run.model_copy(update={"output": directory.parent, "name": directory.name}), step


def claim(run: RunFile, which: str | None, log: RunLog) -> RunDirectory:
    """The run's directory, locked: a new one, or with the checkpoint to resume from, an old one.

    Nothing is written to it yet. Raises FinishedError where the newest checkpoint leaves nothing to do.
    """
    named, model = run.procedure or run.method, _short(run.model.path)
    about = Path(_short(named.path)).stem if named else ""
    hint = about if run.model.absent else f"{about}-{model}" if about else model
    config = resolved(run)
    directory = RunDirectory.claimed(
        run.output, run.name, config, hint=hint, seed=run.seed, resume=which is not None, log=log
    )
    with given_back(directory):
        maybe_kill("directory")
        same = settings_of(directory.last_config()) == settings_of(config)
        if which == "latest" and same and is_finished(directory.path):
            raise FinishedError(directory.path, read_ending(directory.path).get("steps"))
    return directory


def _short(path: str) -> str:
    """The last part of a path; of an object that was given in Python the name."""
    return path.removeprefix(GIVEN).rpartition("-")[0] if path.startswith(GIVEN) else Path(path).name


@contextmanager
def given_back(directory: RunDirectory | None) -> Iterator[None]:
    """Free the directory if the block fails; a new run without any result gives its name back.

    Raises StoppedError in place of KeyboardInterrupt.
    """
    try:
        yield
    except KeyboardInterrupt as error:
        if directory is None:
            raise
        directory.give_back()
        directory.close()
        raise StoppedError("stopped by SIGINT before the first step; nothing is written", signal.SIGINT) from error
    except BaseException:
        if directory is not None:
            directory.give_back()
            directory.close()
        raise


def journal(run: RunFile, directory: RunDirectory, vocabulary: str, texts: TokenTexts) -> DirectoryJournal:
    """The journal of a run in its directory. `texts`: the text of each token."""
    return DirectoryJournal(
        directory,
        keep=run.train.keep,
        keep_every=run.train.keep_every,
        vocabulary=vocabulary,
        settings=settings_of(resolved(run)),
        texts=texts if run.train.samples_tokens else None,
    )
