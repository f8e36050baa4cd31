"""Solver-Informed RL: Grounding Large Language Models for Authentic Optimization Modeling (Chen et al., 2025): SIRL.

    R = 1[|z - z*| / (|z*| + 1) < ε] + c 1[the solver finds an optimum z]

The answer writes an optimisation problem as a model, a solver (HiGHS: linear and mixed-integer programmes) solves it,
and its optimum z is compared with the right one. The model is the last fenced block of the language `lp` (CPLEX's
format) or `mps`; it is read as data, so that nothing of the answer runs. In the paper the answer is a program that
calls a solver.
"""

from __future__ import annotations

import math
import re
import tempfile
from pathlib import Path
from typing import Any

from posttrain.errors import MissingExtraError

INFEASIBLE = "infeasible"
_BLOCK = re.compile(r"^ {0,3}```[ \t]*(lp|mps)[ \t]*\n(.*?)^ {0,3}```[ \t]*$", re.DOTALL | re.MULTILINE | re.IGNORECASE)


def solver(
    completions: list[str],
    objective: list[float | str | None],
    *,
    tolerance: float = 1e-6,
    solved: float = 0.0,
    seconds: float = 5.0,
) -> list[float | None]:
    """1.0 where the model in the answer has the optimum of the column `objective`, else 0.0; None where it is None.

    An objective `infeasible` is right where the solver finds that the model has no solution.

    Settings:
        tolerance: ε, largest error relative to |z*| + 1 that is right; above 0, 1e-6 in the paper.
        solved: c, credit for a model that has an optimum, right or wrong; 0 to 1, 1 in the paper for code that runs.
        seconds: time limit of the solver for one model; above 0.
    """
    _highs()
    found = [
        optimum_of(text, seconds) if wanted is not None else None
        for text, wanted in zip(completions, objective, strict=True)
    ]
    return [
        None if wanted is None else credit(optimum, wanted, tolerance=tolerance, solved=solved)
        for optimum, wanted in zip(found, objective, strict=True)
    ]


def credit(optimum: float | str | None, wanted: float | str, *, tolerance: float, solved: float) -> float:
    """Score an optimum. Raises ValueError for a wanted one that is no number."""
    return float(_right(optimum, wanted, tolerance)) + solved * isinstance(optimum, float)


def _highs() -> Any:
    try:
        import highspy
    except ImportError as error:
        raise MissingExtraError("the reward solver", "solver") from error
    return highspy


def optimum_of(completion: str, seconds: float) -> float | str | None:
    """Return the optimum of the model in an answer, `infeasible`, or None for one that has neither."""
    highs = _highs()
    blocks = _BLOCK.findall(completion)
    if not blocks:
        return None
    language, text = blocks[-1]
    engine = highs.Highs()
    for option, value in (("output_flag", False), ("time_limit", seconds), ("threads", 1)):
        engine.setOptionValue(option, value)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"model.{language.lower()}"
        file.write_text(text, encoding="utf-8", errors="replace")
        if engine.readModel(str(file)) == highs.HighsStatus.kError:
            return None
    engine.run()
    status = engine.getModelStatus()
    if status == highs.HighsModelStatus.kInfeasible:
        return INFEASIBLE
    return float(engine.getInfo().objective_function_value) if status == highs.HighsModelStatus.kOptimal else None


def _right(optimum: float | str | None, wanted: float | str, tolerance: float) -> bool:
    """Whether an optimum is the wanted one. Raises ValueError for a wanted one that is no number."""
    if isinstance(wanted, str) and wanted.strip().lower() == INFEASIBLE:
        return optimum == INFEASIBLE
    number = float(wanted)
    if not math.isfinite(number):
        raise ValueError(f"objective is {wanted!r}, but must be a finite number, infeasible, or null")
    return isinstance(optimum, float) and abs(optimum - number) / (abs(number) + 1) < tolerance
