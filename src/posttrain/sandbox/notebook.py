"""A notebook in a sandbox: cells of Python that see what earlier ones defined."""

from __future__ import annotations

from dataclasses import replace

from posttrain.errors import SandboxError
from posttrain.sandbox import reader
from posttrain.sandbox.box import Box
from posttrain.sandbox.limits import Limits
from posttrain.sandbox.tier import Tier
from posttrain.sandbox.verdict import exit_problem


class Notebook:
    """Runs cells, each in a new process in which the earlier ones are run again: nothing is kept between them.

    A cell that breaks a limit is not run again. The clock, the network and files give no state to rely on.
    """

    def __init__(self, tier: Tier, limits: Limits) -> None:
        self.tier = tier
        self.limits = limits
        self.cells: list[str] = []

    def run(self, cell: str) -> str:
        """Return what a cell writes, its last expression, and its error, or which limit it broke.

        The time limit is for each cell. Raises SandboxError where the sandbox fails, twice.
        """
        for attempt in (1, 2):
            cells = [*self.cells, cell]
            limits = replace(self.limits, seconds=self.limits.seconds * len(cells))
            try:
                with Box(self.tier, "notebook.run", limits, cells=cells) as box:
                    box.finish_input()
                    reader.run(box)
                    problem = exit_problem(box)
            except OSError as error:
                if attempt == 2:
                    raise SandboxError(f"the sandbox cannot be started: {error}") from error
                continue
            if problem is None:
                self.cells = cells
                return box.output.decode(errors="replace")
            if problem.verdict != "infrastructure error":
                return f"{problem.verdict}: {problem.reason}"
            reason = problem.reason
        raise SandboxError(f"a cell was not run, twice: {reason}")
