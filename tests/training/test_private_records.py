"""What a private run refuses before a model is loaded, and how to do it instead."""

import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from posttrain.config.load import load as read
from posttrain.data.dataset import Dataset
from posttrain.errors import ConfigError
from posttrain.records import Demonstration
from posttrain.training.private_records import check_method, check_rows, check_run

BASE = {"model": "tiny", "method": "online/dpppo", "data": "arithmetic", "train": {"privacy": {"noise": 1.0}}}


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("imitation/sft", r"loss is a mean over the tokens of all records.*set method.loss.reduce=sequence_mean"),
        ("online/ppo", r"ppo takes 4 steps on each batch.*set method.passes=1"),
        ("online/ppo_ptx", "reads 2 streams"),
        ("online/reinforce", "baseline of reinforce .* remembers the records of earlier batches"),
        ("online/dapo", "chooses or compares the records of a batch"),
        ("preference/aot", "chooses or compares the records of a batch|is one number for a batch"),
    ],
)
def test_a_method_in_which_records_touch_is_refused_with_the_remedy(name, why):
    with pytest.raises(ConfigError, match=why):
        check_method(load(name))


@pytest.mark.parametrize(
    "name", ["online/dpppo", "online/rloo", "preference/dpo", "preference/ipo", "reward/bradley_terry"]
)
def test_methods_of_single_records_pass(name):
    check_method(load(name))
    check_method(configure(load("imitation/sft"), {"loss.reduce": "sequence_mean"}))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"method": None, "procedure": "raft"}, "run each stage with its `method`"),
        ({"train": {"privacy": {"noise": 1.0}, "async_steps": 1}}, "set train.async_steps=0"),
        ({"train": {"privacy": {"noise": 1.0}, "broken_steps": 2}}, "set train.broken_steps=0"),
        ({"sampling": {"spare_prompts": 2}}, "set sampling.spare_prompts=0"),
        ({"sampling": {"replay_prompts": 1}}, "set sampling.replay_prompts=0"),
        ({"data": {"path": "x.jsonl", "stream": True}}, "a stream has no end"),
    ],
)
def test_a_run_whose_steps_are_no_independent_draws_is_refused(changes, why):
    file = read({k: v for k, v in (BASE | changes).items() if v is not None})
    with pytest.raises(ConfigError, match=why):
        check_run(file)


def test_a_plain_run_passes():
    check_run(read(BASE))


def test_a_record_of_several_rows_would_count_as_several_people():
    data = Dataset((Demonstration(0, "a", "b", where="x.jsonl:1"), Demonstration(1, "a", "b", where="x.jsonl:2")), "x")
    rows = {0: ["row"], 1: ["row", "row"]}
    with pytest.raises(ConfigError, match="x.jsonl:2: a record of several rows"):
        check_rows(data, rows, together=False)
    check_rows(data, rows, together=True)
