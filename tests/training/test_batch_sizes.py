"""Methods that compare the records of a batch get enough of them, or an error before a model is loaded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from posttrain.catalogue import index as catalogue
from posttrain.config.load import load
from posttrain.errors import ConfigError, DataError
from posttrain.launch.checks import check_before_loading
from tests.harness.runs import metrics, run


def kto(folder: Path, records: int, per_step: int) -> dict:
    rows = [{"prompt": f"{i}+1=", "completion": str(i + 1), "label": i % 2 == 0} for i in range(records)]
    (folder / "k.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    train = {"epochs": 1, "prompts_per_step": per_step, "learning_rate": 1e-3}
    return {"model": "tiny", "method": "preference/kto", "data": str(folder / "k.jsonl"), "train": train, "name": "run"}


def test_one_record_a_step_is_refused_where_answers_are_compared(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="at least 2: train.prompts_per_step=2"):
        check_before_loading(load(kto(tmp_path, 4, 1)))
    check_before_loading(load(kto(tmp_path, 4, 2)))


def test_the_rest_of_an_epoch_is_never_one_record(tmp_path: Path) -> None:
    rows = metrics(run(kto(tmp_path, 5, 2), tmp_path))
    assert [row["epoch"] for row in rows] == [0.4, 1.0]


def test_too_few_records_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="at least 2 of them, and there is 1"):
        run(kto(tmp_path, 1, 2), tmp_path)


def test_every_method_with_a_view_of_its_batch_says_how_many_records_it_needs() -> None:
    for path in catalogue.paths():
        method = catalogue.load(path)
        if any(stream.view is not None for stream in method.streams.values()):
            assert method.least_records > 1, path
