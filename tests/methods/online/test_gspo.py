import math

import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from tests.methods.online.group import at_ratio

GSPO, GRPO = load("online/gspo"), load("online/grpo")
OPEN = configure(GSPO, {"clipped_surrogate.low": 0.2, "clipped_surrogate.high": 0.2})
LOG_RATIOS = [0.2, -0.1, 0.3, 0.0]  # mean 0.1


def test_golden_ratio_of_the_whole_answer():
    up = at_ratio(OPEN, LOG_RATIOS, 1.0)
    assert up.metrics["loss"] == pytest.approx(-1.105171, abs=1e-6)
    assert up.gradient("logp")[0] == pytest.approx([-1.105171 / 4] * 4, abs=1e-6)


def test_golden_narrow_clip():
    up, down = at_ratio(GSPO, LOG_RATIOS, 1.0), at_ratio(GSPO, [-x for x in LOG_RATIOS], -1.0)
    assert up.metrics["loss"] == pytest.approx(-1.0004)
    assert down.metrics["loss"] == pytest.approx(0.9997)
    assert up.gradient("logp")[0] == down.gradient("logp")[0] == [0] * 4
    assert up.metrics["clip_ratio/region_mean"] == down.metrics["clip_ratio/region_mean"] == 1
    assert at_ratio(GSPO, LOG_RATIOS, -1.0).metrics["clip_ratio/region_mean"] == 0


def test_an_answer_of_one_token_is_grpos():
    mine, theirs = at_ratio(OPEN, [0.15], -2.0), at_ratio(GRPO, [0.15], -2.0)
    assert mine.metrics["loss"] == pytest.approx(theirs.metrics["loss"], abs=1e-14)
    assert mine.gradient("logp")[0] == pytest.approx(theirs.gradient("logp")[0], abs=1e-14)


def test_grpo_clips_tokens_where_this_does_not():
    log_ratios = [math.log(1.3), -math.log(1.3)]
    assert at_ratio(OPEN, log_ratios, 1.0).gradient("logp")[0] == pytest.approx([-0.5, -0.5])
    assert at_ratio(GRPO, log_ratios, 1.0).gradient("logp")[0] == pytest.approx([0, -1 / 2.6])


def test_the_order_of_the_tokens_does_not_matter():
    assert at_ratio(OPEN, LOG_RATIOS[::-1], 1.0).metrics["loss"] == pytest.approx(
        at_ratio(OPEN, LOG_RATIOS, 1.0).metrics["loss"], abs=1e-14
    )
