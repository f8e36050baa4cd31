"""`rewards.log` of a run."""

from __future__ import annotations

import logging

from posttrain.runs.printed import write_printed


def test_every_step_is_appended(tmp_path):
    write_printed(tmp_path / "rewards.log", 1, [("reward brevity", "a\nb"), ("reward math", "c")])
    write_printed(tmp_path / "rewards.log", 2, [("reward brevity", "d\ud800")])
    assert (tmp_path / "rewards.log").read_text() == (
        "---- step 1, reward brevity\na\nb\n---- step 1, reward math\nc\n---- step 2, reward brevity\nd\\ud800\n"
    )


def test_a_folder_that_cannot_be_written_is_a_warning(tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        write_printed(tmp_path / "absent" / "rewards.log", 1, [("r", "x")])
    assert "cannot be written: No such file or directory" in caplog.text
