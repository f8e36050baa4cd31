"""The limit on the disagreement of sampler and trainer."""

import pytest

from posttrain.errors import ConfigError, NumericsError
from posttrain.training.sampler_gap import GAP, check_gap
from tests.harness.runs import SUMS, metrics, run


def test_a_gap_above_the_limit_stops_the_run():
    check_gap({GAP: 9.0}, None)
    check_gap({GAP: 0.1}, 0.1)
    for gap in (0.11, float("nan")):
        with pytest.raises(NumericsError, match="more than sampler.max_gap=0.1"):
            check_gap({GAP: gap}, 0.1)
    with pytest.raises(ConfigError, match="rollout_correction: tis"):
        check_gap({}, 0.1)


def test_a_run_obeys_the_limit(tmp_path):
    """Reading a row end to end and decoding it token by token round differently, by less than 1e-4 in float32."""
    file = {
        "model": "tiny",
        "method": "online/grpo",
        "data": f"{SUMS},size=4",
        "rewards": "math_answer",
        "sampling": {"samples": 2, "max_tokens": 4},
        "train": {"steps": 1, "prompts_per_step": 2},
    }
    (row,) = metrics(run({**file, "sampler": {"max_gap": 0.01}}, tmp_path, "name=one"))
    with pytest.raises(NumericsError, match="differ by"):
        run({**file, "sampler": {"max_gap": row[GAP] / 2}}, tmp_path, "name=other")
