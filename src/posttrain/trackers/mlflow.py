"""MLflow: the server of MLFLOW_TRACKING_URI, else the database `mlflow.db` beside the runs."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any

from posttrain.trackers.tracker import COLUMNS, About, Row

PACKAGE = "mlflow"
TAG = "posttrain.run"  # the id by which a resumed run finds its own
LONGEST = 500  # characters of a parameter


class MLflow:
    """A run of MLflow, through a client of its own: the global state of `import mlflow` is left alone."""

    def __init__(self, client: Any, run: str) -> None:
        self._client, self._run = client, run

    def metrics(self, step: int, numbers: Mapping[str, float]) -> None:
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        named = {re.sub(r"[^\w\-. /]", "_", name): x for name, x in numbers.items()}
        self._client.log_batch(self._run, metrics=[Metric(name, x, now, step) for name, x in named.items()])

    def samples(self, step: int, rows: Sequence[Row]) -> None:
        table = {name: list(cells) for name, cells in zip(COLUMNS, zip(*rows, strict=True), strict=True)}
        self._client.log_table(self._run, table, f"samples/step-{step:06d}.json")

    def finish(self, *, failed: bool) -> None:
        self._client.set_terminated(self._run, "FAILED" if failed else "FINISHED")


def start(about: About, _step: int) -> MLflow:
    """Begin a run of MLflow, or continue the one with our id."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # it is read when mlflow is imported
    from mlflow import MlflowClient

    own = about.folder.resolve().parent
    uri = os.environ.get("MLFLOW_TRACKING_URI")
    client = MlflowClient(uri or f"sqlite:///{own / 'mlflow.db'}")
    known = client.get_experiment_by_name(about.project)
    files = None if uri else (own / "mlruns").as_uri()
    experiment = known.experiment_id if known else client.create_experiment(about.project, artifact_location=files)
    if earlier := client.search_runs([experiment], f"tags.`{TAG}` = '{about.id}'"):
        run = earlier[0].info.run_id
        client.update_run(run, status="RUNNING")
        return MLflow(client, run)
    run = client.create_run(experiment, tags={TAG: about.id}, run_name=about.name).info.run_id
    for name, value in about.config.items():
        client.log_param(run, name, str(value)[:LONGEST])
    return MLflow(client, run)
