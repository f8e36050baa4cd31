"""The examples of docs/data.md are read as the page says."""

import json
import re
from pathlib import Path

import pytest

from posttrain.config.load import load as load_run_file
from posttrain.config.yaml_ import parse
from posttrain.core.kinds import kind, kinds
from posttrain.data.dataset import from_rows

PAGE = (Path(__file__).parents[2] / "docs" / "data.md").read_text(encoding="utf-8")
ROWS = [(of, row) for of, block in re.findall(r"```json (\w+)\n(.*?)```", PAGE, re.S) for row in block.splitlines()]


@pytest.mark.parametrize(("of", "row"), ROWS)
def test_every_row_is_read(of, row):
    (record,) = from_rows([json.loads(row)], of)
    assert isinstance(record, kind(of).record)


def test_every_kind_has_examples_and_every_example_has_a_kind():
    assert {of for of, _ in ROWS} == set(kinds()) - {"text"}
    assert len(re.findall("```json", PAGE)) == len(re.findall(r"```json \w+\n", PAGE))


@pytest.mark.parametrize("block", re.findall(r"```yaml\n(.*?)```", PAGE, re.S))
def test_every_setting_exists(block):
    run = {"model": "tiny", "method": "imitation/sft", **parse(block, "data.md").value}
    assert load_run_file(run).data["main"].name
