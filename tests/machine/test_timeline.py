"""The timeline of each process is one that a viewer reads, alone and with the others behind it."""

from __future__ import annotations

import json

import pytest

from posttrain.machine.timeline import Timeline, nothing


@pytest.mark.paper("000:[24]")
def test_files_in_a_row_are_one_list_of_events(tmp_path):
    for rank in range(2):
        timeline = Timeline(tmp_path / f"rank-{rank}.json", rank, f"rank {rank}")
        with timeline("step", tokens=rank), pytest.raises(ValueError), timeline("inside"):
            raise ValueError
        timeline.close()
    Timeline(tmp_path / "rank-0.json", 0, "rank 0").close()  # of a resumed run
    text = "".join((tmp_path / f"rank-{rank}.json").read_text() for rank in range(2))
    assert text.startswith("[")
    events = json.loads(text.rstrip(",\n") + "]")
    spans = [e for e in events if e["ph"] == "X"]
    assert [(e["pid"], e["name"]) for e in spans] == [(0, "inside"), (0, "step"), (1, "inside"), (1, "step")]
    for inside, step in (spans[:2], spans[2:]):
        assert step["ts"] <= inside["ts"]
        assert inside["ts"] + inside["dur"] <= step["ts"] + step["dur"] + 1
    assert spans[3]["args"] == {"tokens": 1}
    assert spans[1]["ts"] < spans[3]["ts"]


def test_without_a_timeline_a_block_runs_as_it_is():
    with nothing("step", tokens=1):
        done = True
    assert done
