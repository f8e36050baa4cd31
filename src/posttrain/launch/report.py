"""The trackers that a run file names under `report`, ready to follow the run from its next step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from posttrain.config.load import resolved
from posttrain.trackers.named import follow
from posttrain.trackers.tracker import About

if TYPE_CHECKING:
    from posttrain.config.schema import RunFile
    from posttrain.runs.directory import RunDirectory
    from posttrain.trackers.follower import Follower


def followers(run: RunFile, directory: RunDirectory) -> list[Follower]:
    """Make a follower for each tracker of the run file."""
    return [
        follow(
            entry.name,
            About(
                id=directory.id,
                name=directory.name,
                folder=directory.path,
                config=resolved(run),
                project=entry.project,
                online=entry.online,
            ),
        )
        for entry in run.report
    ]
