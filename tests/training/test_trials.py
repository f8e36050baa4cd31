"""Trials: runs of another run file inside a run; a cut one goes on, and a metric that is not there is named."""

from __future__ import annotations

import pytest

from posttrain.config.load import load
from posttrain.errors import ConfigError
from posttrain.launch.run import launch
from posttrain.launch.trials import trials_in
from posttrain.runs.metrics import read_metrics
from posttrain.training.trials import last_value, no_trial
from tests.harness.runs import SAVED_EVERY_STEP, Interrupt, PowerCut


def inner(folder):
    import yaml

    (folder / "inner.yaml").write_text(yaml.safe_dump({**SAVED_EVERY_STEP, "name": "outer"}))


def test_a_trial_has_its_own_folder_and_keys_and_is_not_run_twice(tmp_path):
    inner(tmp_path)
    trial = trials_in(tmp_path / "run", tmp_path, launch)
    made = trial("trial-0", "inner.yaml", {"train.learning_rate": 1e-2, "train.steps": 2})
    assert made == tmp_path / "run" / "trials" / "trial-0"
    assert load(made / "config.yaml").train.learning_rate == 1e-2
    rows = list(read_metrics(made / "metrics.jsonl"))
    assert [row["step"] for row in rows] == [1, 2]
    assert last_value(made, "loss") == rows[-1]["loss"]
    assert trial("trial-0", "inner.yaml", {"train.learning_rate": 1e-2, "train.steps": 2}) == made
    assert list(read_metrics(made / "metrics.jsonl")) == rows
    with pytest.raises(ConfigError, match=r"no metric 'reward'; it has .*loss"):
        last_value(made, "reward")


def test_a_trial_that_was_cut_goes_on(tmp_path):
    inner(tmp_path)
    cut = trials_in(tmp_path / "run", tmp_path, lambda run, **how: launch(run, display=PowerCut(2), **how))
    with pytest.raises(Interrupt):
        cut("trial-1", "inner.yaml", {})
    steps = []

    def counted(run, **how):
        assert how == {"resume": True}
        result = launch(run, **how)
        steps.extend(row["step"] for row in read_metrics(result.directory / "metrics.jsonl"))
        return result

    trials_in(tmp_path / "run", tmp_path, counted)("trial-1", "inner.yaml", {})
    assert steps == [1, 2, 3, 4]


def test_a_session_without_a_directory_has_no_trials():
    with pytest.raises(ConfigError, match="trial one of a.yaml with {'x': 1}: this session has no run directory"):
        no_trial("one", "a.yaml", {"x": 1})
