from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from posttrain.data.dataset import from_rows, load
from posttrain.data.readers.arrow_values import plain, without_nulls


def test_values_of_arrow_become_those_of_json():
    assert plain(date(2026, 1, 2)) == "2026-01-02"
    assert plain([datetime(2026, 1, 2, 3, 4)]) == ["2026-01-02T03:04:00"]
    assert plain({"a": timedelta(minutes=1)}) == {"a": 60.0}
    assert [plain(Decimal(x)) for x in ("7.00", "0.1", "0.12345678901234567890")] == [7, 0.1, "0.12345678901234567890"]
    assert plain([("key", 1)]) == {"key": 1}  # a map
    assert plain(b"x") == b"x"


@pytest.mark.fault("B5")
def test_nulls_are_removed_at_every_depth():
    assert without_nulls({"a": None, "b": [{"c": None, "d": 1}, None]}) == {"b": [{"d": 1}, None]}


def test_parquet_and_datasets(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    datasets = pytest.importorskip("datasets")
    import pyarrow

    rows = [{"prompt": [{"role": "user", "content": "a", "name": None}], "day": date(2026, 1, 2)}]
    parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "a.parquet")
    (read,) = load(str(tmp_path / "a.parquet"), "prompts")
    assert (read.prompt, read.columns) == (({"role": "user", "content": "a"},), {"day": "2026-01-02"})
    (given,) = from_rows(datasets.Dataset.from_list(rows), "prompts")
    assert (given.prompt, given.columns) == (read.prompt, read.columns)
