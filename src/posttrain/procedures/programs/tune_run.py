"""Language model agents that adjust hyper-parameters: here keys of any run file.

A speaker reads what may be set and what came of earlier settings, and proposes new ones. Each proposal is a whole run
of the run file with these keys changed, in `trials/` of the run directory. One that diverges has no result.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import isfinite
from typing import Any

from posttrain.errors import NumericsError, OutOfMemoryError
from posttrain.learners.tuning.setting_search import SettingSearch
from posttrain.learners.tuning.space import Space
from posttrain.search.evolution.course import Strategy
from posttrain.search.evolution.strategies.beam import beam
from posttrain.training.session import Session
from posttrain.training.trials import last_value


def tune_run(
    session: Session,
    *,
    run: str,
    space: dict[str, Any],
    measure: str = "reward",
    smaller: bool = False,
    speaker: str = "speaker",
    known: dict[str, Any] | None = None,
    rounds: int = 4,
    samples: int = 2,
) -> dict[str, float]:
    """Propose keys of a run file -> run it with them; the best keys are the artefact.

    Settings:
        run: path of the run file, beside this one.
        space: options (a list) or range ({from: 0.1, to: 1.0}) of each key by its name, such as train.learning_rate.
        measure: name of a metric of that run, whose last value is the result.
        smaller: true where smaller is better, as for a loss.
        speaker: name of the role that proposes keys.
        known: values that a scripted speaker takes for the best, by name; null where a model speaks.
        rounds: rounds of proposals; at least 1.
        samples: proposals in a round, each a run; at least 1.
    """
    sign = -1.0 if smaller else 1.0

    def tried(settings: Mapping[str, Any], number: int) -> float | str:
        try:
            value = sign * last_value(session.trial(f"trial-{number}", run, settings), measure)
        except (NumericsError, OutOfMemoryError) as error:
            return f"failed: {error}"
        return value if isfinite(value) else f"diverged: {measure} is {value}"

    about = f"a training run for {'a small' if smaller else 'a large'} {measure}"
    search = SettingSearch(Space(space), tried, session.speaker(speaker), about, session.seed("space"), known or {})
    archive = session.evolve(
        "settings", Strategy(beam, rounds=rounds, branching=samples), search.write, search.evaluate
    )
    best = archive.best
    session.artefact("settings", {} if best is None else json.loads(best.text or ""))
    session.artefact("archive", archive.state())
    return {} if best is None else {measure: sign * best.value}
