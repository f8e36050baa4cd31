"""Questions of a file, and the columns that a suite cannot do without."""

from __future__ import annotations

import pytest

from posttrain.errors import DataError
from posttrain.evaluation.suites.prompts import questions


def test_a_column_that_is_missing_is_named_with_its_row_before_anything_is_asked(tmp_path):
    file = tmp_path / "q.jsonl"
    file.write_text('{"prompt": "a", "answer": "1", "level": 2}\n{"prompt": "b", "answer": "2", "level": null}\n')
    assert [p.columns["answer"] for p in questions(str(file), 9, "answer")] == ["1", "2"]
    assert len(questions(str(file), 1, "level")) == 1
    with pytest.raises(DataError, match=r"q.jsonl:2: the suite reads the column 'level', which is missing; columns a"):
        questions(str(file), 9, "answer", "level")
