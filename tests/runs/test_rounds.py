"""Results kept between stages are read back bit for bit."""

from __future__ import annotations

import math

import pytest

from posttrain.errors import StorageError
from posttrain.records import Episode, Prompt
from posttrain.runs.rounds import as_episodes, as_row, read_rows, write_rows


def test_rollouts_come_back_as_they_were(tmp_path):
    prompts = [Prompt(7, ({"role": "user", "content": "a\u2028b"},), {"answer": "4"}, "f:1"), Prompt(8, "q")]
    rollouts = [
        Episode.of_answer(
            prompts[0], 1, 2, (5, 6), (7,), (-0.1 - 1e-17,), False, "\u2028\x85 é\n", 0.1 + 0.2, {"a": None, "b": 1.0}
        ),
        Episode.of_answer(prompts[1], 0, 0, (5,), (8, 9), (math.nextafter(-1, 0), 0.0), True),
    ]
    write_rows(tmp_path / "rounds" / "one.jsonl", map(as_row, rollouts))
    assert as_episodes(read_rows(tmp_path / "rounds" / "one.jsonl"), prompts) == rollouts


@pytest.mark.parametrize("damage", [lambda p: p.unlink(), lambda p: p.write_text('{"half')])
def test_what_is_gone_or_damaged_stops_the_run(damage, tmp_path):
    path = tmp_path / "one.jsonl"
    write_rows(path, [1.5])
    damage(path)
    with pytest.raises(StorageError, match=r"one\.jsonl: cannot be read"):
        read_rows(path)
