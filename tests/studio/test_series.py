"""Metrics as columns: only what is new is read, and thinning keeps every spike."""

import json

import pytest

from posttrain.studio.series import Series, sketch, smoothed, thinned


def write(folder, steps, mode="w"):
    with (folder / "metrics.jsonl").open(mode, encoding="utf-8") as file:
        file.writelines(json.dumps({"step": n, "x": float(n)}) + "\n" for n in steps)


def test_a_file_that_grows_is_read_on(tmp_path):
    series = Series()
    write(tmp_path, [1, 2])
    first = series.of(tmp_path)
    assert first.curve("x") == ([1, 2], [1.0, 2.0])
    with (tmp_path / "metrics.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"step": 3, "x": 3.0}\n{"step": 4, "x"')  # the last line is under way
    assert series.of(tmp_path) is first
    assert first.curve("x") == ([1, 2, 3], [1.0, 2.0, 3.0])
    assert first.last == 3


def test_a_file_that_was_replaced_or_cut_is_read_anew(tmp_path):
    series = Series()
    write(tmp_path, [1, 2, 3])
    series.of(tmp_path)
    (tmp_path / "metrics.jsonl").unlink()
    assert series.of(tmp_path).curve("x") == ([], [])
    write(tmp_path, [1])
    assert series.of(tmp_path).curve("x") == ([1], [1.0])


def test_damaged_lines_are_counted(tmp_path):
    lines = ['{"step": 1, "x": 1, "why": "text", "y": null}', "nonsense", "[1]", '{"x": 2}', '{"step": 2, "x": NaN}']
    (tmp_path / "metrics.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    columns = Series().of(tmp_path)
    assert columns.damaged == 3
    assert columns.names() == ["x"]
    assert columns.curve("x") == ([1], [1.0])
    assert columns.last == 2


def test_metrics_that_come_and_go(tmp_path):
    rows = [
        {"step": 1, "a": 1},
        {"step": 2, "b": 2.5, "a": 3},
        {"step": 3, "b": 10**400},
        {"step": 4, "c": True, "a": 5},
    ]
    (tmp_path / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    columns = Series().of(tmp_path)
    assert columns.curve("a") == ([1, 2, 4], [1.0, 3.0, 5.0])
    assert columns.curve("b") == ([2], [2.5])
    assert columns.curve("c") == ([4], [1.0])
    assert columns.curve("d") == ([], [])


def test_memory_is_bounded(tmp_path):
    series = Series(kept=100)
    for name in "abc":
        (tmp_path / name).mkdir()
        write(tmp_path / name, range(5))
        series.of(tmp_path / name)
    assert [path.parent.name for path in series._columns] == ["c"]


def test_thinning_keeps_spikes_and_order():
    values = [0.0] * 10_000
    values[4321], values[4322] = 9.0, -9.0
    steps, kept = thinned(range(10_000), values, 100)
    assert len(kept) <= 100
    assert steps == sorted(set(steps))
    assert max(kept) == 9.0
    assert min(kept) == -9.0
    assert thinned([1, 2], [3.0, 4.0], 100) == ([1, 2], [3.0, 4.0])


def test_smoothing_has_no_pull_to_zero():
    assert smoothed([5.0] * 4, 0.9) == pytest.approx([5.0] * 4)
    assert smoothed([0.0, 1.0], 0.5) == pytest.approx([0.0, (0.5 * 1.0) / 0.75])
    assert smoothed([1.0, 7.0], 0.0) == [1.0, 7.0]


def test_a_sketch_reads_a_few_rows_and_the_last(tmp_path):
    write(tmp_path, range(10_000))
    rows = [row["step"] for row in sketch(tmp_path / "metrics.jsonl", 10)]
    assert len(rows) == 11
    assert rows == sorted(rows)
    assert (rows[0], rows[-1]) == (0, 9999)
    assert sketch(tmp_path / "none.jsonl", 10) == []
