"""Checkpoints of one run. A kill at any moment leaves the earlier ones whole and no half one by that name.

.checkpoint-10.partial/   files, MANIFEST.json, COMMITTED     everything on the disk, then
checkpoint-10/            appears by one rename, complete     then
../latest                 points to it                        and only then older ones are removed
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError

from posttrain.errors import ConfigError, StorageError
from posttrain.machine.kill_points import maybe_kill
from posttrain.runs import durable
from posttrain.runs.manifest import commit, is_committed, verify, write_manifest

log = logging.getLogger(__name__)

NAME = re.compile(r"checkpoint-(\d+)(\.replaced)?")


class Checkpoints:
    """The folder `checkpoints/` of a run: the `keep` newest ones, and those of every multiple of `keep_every` steps.

    `run` is the run's name for itself (RunDirectory.id): the checkpoints of another run are refused.
    """

    def __init__(self, run_dir: Path, keep: int = 2, keep_every: int | None = None, run: str = "") -> None:
        if keep < 1:
            raise ConfigError(f"keep: {keep} checkpoints cannot be kept; use 1 or more")
        self.folder, self.latest, self.keep = run_dir / "checkpoints", run_dir / "latest", keep
        self.keep_every, self.run = keep_every, run
        self._saving = threading.Lock()

    @contextmanager
    def writing(self, step: int, known: Mapping[str, str] | None = None) -> Iterator[Path]:
        """A folder for the files; it becomes `checkpoint-<step>` after the block, or vanishes if that fails.

        `known` may say the hashes of files by then; the others are read again.
        Raises StorageError when the disk is full or fails; the checkpoints before this one stay.
        """
        target, partial = self.folder / f"checkpoint-{step}", self.folder / f".checkpoint-{step}.partial"
        with self._saving:
            try:
                self._sweep()
                partial.mkdir(parents=True)
                yield partial
                write_manifest(partial, known, run=self.run, step=step)
                maybe_kill("manifest", step)
                commit(partial)
                maybe_kill("committed", step)
                self._publish(partial, target)
                maybe_kill("published", step)
            except (OSError, SafetensorError) as error:
                reason = getattr(error, "strerror", None) or error
                raise StorageError(
                    f"{target}: not saved ({reason}); earlier checkpoints are intact; free some space or "
                    "check the disk, then continue with --resume"
                ) from error
            finally:
                shutil.rmtree(partial, ignore_errors=True)
            self._point_to(target)
            self._prune(step)

    def choose(self, which: str) -> tuple[Path | None, str]:
        """The checkpoint to resume from ("latest" or a step), and what to say of it.

        Only complete and unchanged ones count. None when nothing was saved yet; a run of which everything is damaged
        raises StorageError instead, since beginning anew would remove it.
        """
        if which != "latest":
            folder = self.at(int(which))
            return folder, f"resuming from {folder}"
        newest, passed = self._search()
        why = "; ".join(f"passed over {folder.name} ({reason})" for folder, reason in passed.items())
        if newest is None and passed:
            raise StorageError(f"{self.folder}: no checkpoint can be used: {why}; begin a new run under another name")
        if newest is None:
            return None, "nothing to resume: no complete checkpoint, starting from the beginning"
        return newest, f"resuming from {newest}" + (f"; {why}" if why else "")

    def newest(self) -> Path | None:
        """The newest checkpoint that is complete and unchanged; logs why when others were skipped."""
        newest, passed = self._search()
        for folder, reason in passed.items():
            log.warning("%s: skipped: %s", folder, reason)
        return newest

    def _search(self) -> tuple[Path | None, dict[Path, str]]:
        """The newest usable checkpoint, and why newer ones are none."""
        for partial in self._unfinished():
            log.warning("%s: an unfinished save, ignored", partial)
        passed: dict[Path, str] = {}
        for folder in self._found():
            problems = self._verify(folder)
            if not problems:
                return folder, passed
            passed[folder] = "; ".join(problems)
        return None, passed

    def at(self, step: int) -> Path:
        """The checkpoint of one step. Raises StorageError if it is missing or damaged, with what there is."""
        folder = self.folder / f"checkpoint-{step}"
        if not folder.is_dir():
            steps = ", ".join(str(step_of(path)) for path in reversed(self._found())) or "none"
            raise StorageError(f"{folder}: no such checkpoint; there is: {steps}")
        problems = self._verify(folder)
        if problems:
            raise StorageError(f"{folder}: not usable: {'; '.join(problems)}; resume from another step")
        return folder

    def truncate_after(self, step: int) -> int:
        """Delete the checkpoints of later steps, as a run does that resumes at `step`; returns how many.

        They belong to a course of training that is abandoned, and would otherwise be the newest.
        """
        later = [folder for folder in self._found() if step_of(folder) > step]
        for folder in later:
            discard(folder)
        newest = self._found()[:1]
        if later and newest:
            self._point_to(newest[0])
        return len(later)

    def _verify(self, folder: Path) -> list[str]:
        return verify(folder, run=self.run, step=step_of(folder))

    def _found(self) -> list[Path]:
        """Whatever bears the name of a checkpoint, newest first."""
        if not self.folder.is_dir():
            return []
        named = [path for path in self.folder.iterdir() if NAME.fullmatch(path.name) and path.is_dir()]
        return sorted(named, key=lambda path: (-step_of(path), path.name))

    def _unfinished(self) -> list[Path]:
        return sorted(self.folder.glob(".checkpoint-*.partial"))

    def _sweep(self) -> None:
        """Remove what a killed process left, before the space is needed."""
        for partial in self._unfinished():
            shutil.rmtree(partial)

    def _publish(self, partial: Path, target: Path) -> None:
        if target.exists():
            # One complete folder of this step can be found at any moment: until the new one is in place,
            # the old one has a name that `newest` knows.
            aside = target.with_name(f"{target.name}.replaced")
            discard(aside)
            durable.replace(target, aside)
        durable.replace(partial, target)

    def _point_to(self, target: Path) -> None:
        """`latest` is a convenience for people and tools; not every file system can have it."""
        link = self.latest.with_name(".latest.partial")
        try:
            link.unlink(missing_ok=True)
            link.symlink_to(Path(self.folder.name, target.name), target_is_directory=True)
            os.replace(link, self.latest)
        except OSError as error:
            log.warning("%s: not updated (%s)", self.latest, error.strerror)

    def _prune(self, step: int) -> None:
        """Remove what the new checkpoint makes superfluous: older ones, copies set aside, unfinished ones."""
        complete = [folder for folder in self._found() if is_committed(folder) and "." not in folder.name]
        newer = [folder for folder in complete if step_of(folder) > step]
        staying = complete[: max(self.keep, len(newer) + 1)]
        staying += [folder for folder in complete if self.keep_every and step_of(folder) % self.keep_every == 0]
        for folder in self._found():
            if folder not in staying:
                discard(folder)


def step_of(folder: Path) -> int:
    """The step that a checkpoint's name says."""
    match = NAME.fullmatch(folder.name)
    if match is None:
        raise StorageError(f"{folder}: not a checkpoint; its name should be checkpoint-<step>")
    return int(match[1])


def discard(folder: Path) -> None:
    """Delete a checkpoint, its name first, so that no half deleted one is found. Failure is a warning."""
    if not folder.exists():
        return
    doomed = folder.with_name(f".{folder.name}.partial")
    try:
        shutil.rmtree(doomed, ignore_errors=True)
        os.replace(folder, doomed)
        shutil.rmtree(doomed)
    except OSError as error:
        log.warning("%s: not removed (%s)", folder, error.strerror)
