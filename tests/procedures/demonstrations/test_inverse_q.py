"""Inverse-Q* end to end: what is asked for in words is said without them."""

from __future__ import annotations

from pathlib import Path
from statistics import fmean

import pytest

from posttrain.config.load import load
from posttrain.errors import DataError
from posttrain.formulas.losses.scores import log_ratio, ref_token_logp
from posttrain.launch.run import open_session
from posttrain.records import Demonstration, Prompt, Sampled
from tests.harness.runs import SUMS, metrics, run
from tests.procedures.running import BRIEF, collected, content


@pytest.mark.paper("xia2024rab")
def test_the_error_falls_and_no_reward_is_read(tmp_path: Path) -> None:
    given = content("inverse_q", tmp_path, rounds=1, regression={"steps": 30}) | {"rewards": []}
    result = run(given, tmp_path / "run", *BRIEF)
    losses = [row["loss"] for row in metrics(result)]
    assert fmean(losses[-5:]) < 0.7 * fmean(losses[:5])
    assert {row["reward"] for row in collected(result.directory, "round-1")} == {None}


def test_without_words_nothing_is_wanted(tmp_path: Path) -> None:
    result = run(content("inverse_q", tmp_path, rounds=1, wanted="", unwanted=""), tmp_path / "run", *BRIEF)
    assert metrics(result)[0]["loss"] == 0


def test_what_is_spelt_adds_up_to_what_is_measured(tmp_path: Path) -> None:
    run_file = load({"model": "tiny", "method": "imitation/sft", "data": SUMS}, [f"output={tmp_path}/run"])
    said = [Demonstration(i, "1+1=", Sampled(tuple(range(40, 43 + i)))) for i in range(3)]
    with open_session(run_file) as session:
        session.copy("policy", "reference")
        tokens = session.measure_tokens("tokens", said, ref_token_logp)
        ratios = session.measure("ratios", said, log_ratio)
        taught = Demonstration(1, "1+1=", said[0].completion, columns={"token_reward": [1, 2, 3]})
        row = session.run.encoder.rows(taught, "demonstrations", {"token_reward": "T"})[0]
        with pytest.raises(DataError, match="'token_reward' has 2 numbers for the 3 tokens"):
            session.run.encoder.rows(Demonstration(1, "1", said[0].completion, columns={"token_reward": [1, 2]}),
                                 "demonstrations", {"token_reward": "T"})  # fmt: skip
        prompt = session.run.encoder.prompt(Prompt(0, "1+1="))
    assert [len(t) for t in tokens] == [3, 4, 5]
    assert all(x < 0 for t in tokens for x in t)
    assert ratios == [0, 0, 0]
    assert row.columns["token_reward"] == (*(0.0,) * len(prompt), 1, 2, 3)
