"""Checkpoints of one run. A kill at any moment leaves the earlier ones intact, and never an incomplete one in place.

.checkpoint-10.partial/   files, MANIFEST.json, COMMITTED     all synced to disk, then
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

    `run` is the id of the run (RunDirectory.id): the checkpoints of another run are refused.
    """

    def __init__(self, run_dir: Path, keep: int = 2, keep_every: int | None = None, run: str = "") -> None:
        if keep < 1:
            raise ConfigError(f"keep: {keep} checkpoints cannot be kept; use 1 or more")
        self.folder = run_dir / "checkpoints"
        self.latest = run_dir / "latest"
        self.keep = keep
        self.keep_every = keep_every
        self.run = run
        self._saving = threading.Lock()

    @contextmanager
    def writing(self, step: int, known: Mapping[str, str] | None = None) -> Iterator[Path]:
        """Yield a folder for the files; it becomes `checkpoint-<step>` after the block, or vanishes if that fails.

        `known`: hashes of files, to be filled in by the end of the block; the other files are read again to be hashed.
        Raises StorageError when the disk is full or fails; the earlier checkpoints stay.
        """
        target, partial = self.folder / f"checkpoint-{step}", self.folder / f".checkpoint-{step}.partial"
        with self._saving:
            try:
                self._remove_unfinished()
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
                earlier = "earlier checkpoints are intact" if self.newest_name() else "no earlier one exists"
                then = ", then continue with --resume" if self.newest_name() else ""
                raise StorageError(
                    f"{target}: not saved ({reason}); {earlier}; free some space or check the disk{then}"
                ) from error
            finally:
                shutil.rmtree(partial, ignore_errors=True)
            self._update_latest(target)
            self._prune(step)

    def choose(self, which: str) -> tuple[Path | None, str]:
        """Return the checkpoint to resume from ("latest" or a step), and a message about it for the user.

        Only complete and unchanged ones count. None when nothing was saved yet. Raises StorageError when every
        checkpoint is damaged, since starting over would remove them.
        """
        if which != "latest":
            folder = self.at(int(which))
            return folder, f"resuming from {folder}"
        newest, skipped = self._search()
        why = "; ".join(f"skipped {folder.name} ({reason})" for folder, reason in skipped.items())
        if newest is None and skipped:
            raise StorageError(f"{self.folder}: no checkpoint can be used: {why}; begin a new run under another name")
        if newest is None:
            return None, "nothing to resume: no complete checkpoint, starting from the beginning"
        return newest, f"resuming from {newest}" + (f"; {why}" if why else "")

    def newest_name(self) -> str | None:
        """Return the name of the newest checkpoint that was saved to its end; nothing of it is read."""
        return next((path.name for path in self._newest_first() if is_committed(path)), None)

    def newest(self) -> Path | None:
        """Return the newest checkpoint that is complete and unchanged. Logs a warning for each one that it skips."""
        newest, skipped = self._search()
        for folder, reason in skipped.items():
            log.warning("%s: skipped: %s", folder, reason)
        return newest

    def _search(self) -> tuple[Path | None, dict[Path, str]]:
        """Return the newest usable checkpoint, and why each newer one is unusable."""
        for partial in self._unfinished():
            log.warning("%s: an unfinished save, ignored", partial)
        skipped: dict[Path, str] = {}
        for folder in self._newest_first():
            problems = self._verify(folder)
            if not problems:
                return folder, skipped
            skipped[folder] = "; ".join(problems)
        return None, skipped

    def at(self, step: int) -> Path:
        """Return the checkpoint of one step. Raises StorageError if it is missing (listing the others) or damaged."""
        folder = self.folder / f"checkpoint-{step}"
        if not folder.is_dir():
            steps = ", ".join(str(step_of(path)) for path in reversed(self._newest_first())) or "none"
            raise StorageError(f"{folder}: no such checkpoint; there is: {steps}")
        problems = self._verify(folder)
        if problems:
            raise StorageError(f"{folder}: not usable: {'; '.join(problems)}; resume from another step")
        return folder

    def truncate_after(self, step: int) -> int:
        """Delete the checkpoints of later steps when a run resumes at `step`; return their number.

        They belong to an abandoned course of training, and would otherwise be the newest.
        """
        later = [folder for folder in self._newest_first() if step_of(folder) > step]
        for folder in later:
            discard(folder)
        newest = self._newest_first()[:1]
        if later and newest:
            self._update_latest(newest[0])
        return len(later)

    def _verify(self, folder: Path) -> list[str]:
        return verify(folder, run=self.run, step=step_of(folder))

    def _newest_first(self) -> list[Path]:
        """List all folders that are named like a checkpoint."""
        if not self.folder.is_dir():
            return []
        named = [path for path in self.folder.iterdir() if NAME.fullmatch(path.name) and path.is_dir()]
        return sorted(named, key=lambda path: (-step_of(path), path.name))

    def _unfinished(self) -> list[Path]:
        return sorted(self.folder.glob(".checkpoint-*.partial"))

    def _remove_unfinished(self) -> None:
        """Remove what a killed process left behind, before the space is needed."""
        for partial in self._unfinished():
            shutil.rmtree(partial)

    def _publish(self, partial: Path, target: Path) -> None:
        if target.exists():
            # At any moment there is a complete folder of this step: until the new one is in place, the old one
            # has a name that `newest` recognises.
            aside = target.with_name(f"{target.name}.replaced")
            discard(aside)
            durable.replace(target, aside)
        durable.replace(partial, target)

    def _update_latest(self, target: Path) -> None:
        """Let the link `latest` point to a checkpoint. It is a convenience; not every file system has links."""
        link = self.latest.with_name(".latest.partial")
        try:
            link.unlink(missing_ok=True)
            link.symlink_to(Path(self.folder.name, target.name), target_is_directory=True)
            os.replace(link, self.latest)
        except OSError as error:
            log.warning("%s: not updated (%s)", self.latest, error.strerror)

    def _prune(self, step: int) -> None:
        """Remove what the new checkpoint makes superfluous: older ones, copies set aside, unfinished ones."""
        complete = [folder for folder in self._newest_first() if is_committed(folder) and "." not in folder.name]
        newer = [folder for folder in complete if step_of(folder) > step]
        kept = complete[: max(self.keep, len(newer) + 1)]
        kept += [folder for folder in complete if self.keep_every and step_of(folder) % self.keep_every == 0]
        for folder in self._newest_first():
            if folder not in kept:
                discard(folder)


def step_of(folder: Path) -> int:
    """Parse the step in a checkpoint's name."""
    match = NAME.fullmatch(folder.name)
    if match is None:
        raise StorageError(f"{folder}: not a checkpoint; its name should be checkpoint-<step>")
    return int(match[1])


def discard(folder: Path) -> None:
    """Delete a checkpoint, renaming it first so that no half-deleted one is found. Failure is a warning."""
    if not folder.exists():
        return
    doomed = folder.with_name(f".{folder.name}.partial")
    try:
        shutil.rmtree(doomed, ignore_errors=True)
        os.replace(folder, doomed)
        shutil.rmtree(doomed)
    except OSError as error:
        log.warning("%s: not removed (%s)", folder, error.strerror)
