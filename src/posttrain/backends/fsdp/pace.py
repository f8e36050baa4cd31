"""Which process is slow: the time that each takes for the same work, without waiting for the others."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from statistics import median

SLOW, STEPS = 1.5, 10  # times as long as the others, and for how many steps in a row before somebody is told
LEAST = 1e-3  # seconds below which a time says nothing about a process

_log = logging.getLogger(__name__)


class Pace:
    """The seconds of each process, step by step."""

    def __init__(self) -> None:
        self._ratios: list[float] = []
        self._streak: tuple[int, int] = (-1, 0)  # the slowest process, and for how many steps it was slow

    def add(self, seconds: Sequence[float]) -> None:
        """Take the seconds of every process for one step, and warn of one that stays behind."""
        if len(seconds) < 2 or median(seconds) < LEAST:
            return
        others = median(sorted(seconds)[:-1])
        ratio, slowest = max(seconds) / others, seconds.index(max(seconds))
        self._ratios.append(ratio)
        before, streak = self._streak
        self._streak = slowest, (streak + 1 if slowest == before else 1) if ratio > SLOW else 0
        if self._streak[1] == STEPS:
            _log.warning("process %d takes %.1f times as long as the others for the same work", slowest, ratio)

    def metrics(self) -> dict[str, float]:
        """Return the mean ratio of the slowest process to the others since the last call."""
        ratios, self._ratios = self._ratios, []
        return {"processes/slowest": sum(ratios) / len(ratios)} if ratios else {}
