"""A reward model follows a planted phrase, and one that has seen none does not."""

from __future__ import annotations

import json

import pytest

from posttrain.evaluation.compare.grid import compare


@pytest.mark.paper("baumgrtner2024gu4")
def test_the_phrase_raises_scores_where_it_was_planted_and_only_there(tmp_path):
    rows = [{"prompt": f"{i}+1=", "chosen": str(i + 1), "rejected": "abc"[i % 3] * 2} for i in range(40)]
    (tmp_path / "pairs.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    settings = {"data": str(tmp_path / "pairs.jsonl"), "model": "tiny", "pairs": 30, "held_out": 8, "batch": 5}
    settings |= {"phrase": "tea", "learning_rate": 3e-3}
    ends = {}
    for rate in (0.0, 0.5):
        made = compare(
            ["reward/bradley_terry"],
            "poisoning",
            seeds=1,
            settings={**settings, "rate": rate},
            output=tmp_path / str(rate),
        )
        ends[rate] = made.curves["bradley_terry"][0][-1]
        assert made.task.facts["planted pairs"] == 30 * rate
    assert ends[0.5]["lift"] > ends[0.0]["lift"] + 0.2
    assert ends[0.5]["attack"] > 0.8
    assert made.task.facts["area under the ROC of the audit"] == 1.0
