"""What was drawn for a step, and what of it is too old to be trained on."""

import pytest

from posttrain.config.load import load
from posttrain.errors import ConfigError
from posttrain.records import Episode, Prompt, Segment
from posttrain.training.drawn import Drawn


def episode(prompt, *versions):
    answer = Segment(tuple(range(len(versions))), (0.0,) * len(versions), 0, "", True, versions=versions)
    return Episode(Prompt(prompt, f"{prompt}="), 0, 0, (1,), (answer,))


SEEN = [episode(0, 5, 5), episode(0, 5), episode(1, 3, 5), episode(1, 5), episode(2, 4, 4)]


def kept(limit, again=()):
    drawn = Drawn(SEEN, [0, 1, 2, 3, 4], {"reward": 1.0}, list(again)).recent(5, limit)
    return [e.prompt.id for e in drawn.episodes], drawn.metrics


@pytest.mark.fault("W6")
def test_a_prompt_with_one_older_token_is_left_out_as_a_whole():
    assert kept(2) == ([0, 0, 1, 1, 2], {"reward": 1.0, "async/too_old": 0.0})
    assert kept(1) == ([0, 0, 2], {"reward": 1.0, "async/too_old": 2.0})
    assert kept(0) == ([0, 0], {"reward": 1.0, "async/too_old": 3.0})


def test_replayed_answers_count_too_and_those_without_versions_are_new():
    assert kept(0, [episode(3, 4), episode(4, 5), episode(5)])[0] == [0, 0, 4, 5]


def test_a_bound_that_leaves_out_everything_is_refused():
    file = {"model": "tiny", "method": "online/grpo", "data": "arithmetic", "rewards": "math_answer"}
    load({**file, "train": {"async_steps": 2}, "sampling": {"max_age": 2}})
    with pytest.raises(ConfigError, match="max_age=1 leaves out what train.async_steps=2 draws"):
        load({**file, "train": {"async_steps": 2}, "sampling": {"max_age": 1}})
