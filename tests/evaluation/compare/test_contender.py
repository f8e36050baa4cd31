"""How methods are named in a comparison, and what cannot be in one."""

from __future__ import annotations

import pytest

from posttrain.catalogue import index as catalogue
from posttrain.catalogue.configure import settings
from posttrain.errors import ConfigError, PosttrainError
from posttrain.evaluation.compare.contender import contender, contenders
from posttrain.evaluation.tasks.gold_reward import gold_reward


@pytest.fixture(scope="module")
def task(tmp_path_factory):
    """Without training its reference: nothing of it is read."""
    folder = tmp_path_factory.mktemp("task")
    (folder / "reference-0").mkdir()
    (folder / "reference-0" / "config.json").touch()
    return gold_reward(folder, 0, pairs=8, comparisons=20)


def test_settings_follow_a_colon():
    made = contender("preference/dpo:beta=0.05,learning_rate=1e-4")
    assert (made.path, made.label) == ("preference/dpo", "dpo beta=0.05 learning_rate=1e-4")
    assert {k: v for _, _, k, v in settings(made.method())}["beta"] == 0.05
    assert made.train == {"learning_rate": 1e-4}
    assert contender("preference/dpo").label == "dpo"


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("preference/dpoo", "did you mean 'preference/dpo'"),
        ("preference/dpo:bta=1", "reads no setting 'bta'"),
        ("preference/dpo:beta", "cannot read 'beta'"),
        ("preference/dpo:beta=high", "must be float"),
        ("preference/dpo:learning_rate=fast", "is not a number"),
    ],
)
def test_names_that_are_wrong(spec, words):
    with pytest.raises(PosttrainError, match=words):
        contender(spec)


def test_a_method_is_named_once_unless_its_settings_differ():
    with pytest.raises(ConfigError, match="dpo is named twice"):
        contenders(["preference/dpo", "preference/dpo"])
    assert len(contenders(["preference/dpo", "preference/dpo:beta=0.5"])) == 2


def refusal(made, task):
    try:
        made.check(task)
    except ConfigError as error:
        return str(error)
    return None


def test_every_method_either_runs_on_the_task_or_says_what_it_reads(task):
    """Of everything that ships; what a task offers is enough for most."""
    found = {path: refusal(contender(path), task) for path in catalogue.paths()}
    assert all(error is None or contender(path).label in error for path, error in found.items())
    can = {path for path, error in found.items() if error is None}
    assert {"preference/dpo", "preference/kto", "preference/rpo", "imitation/sft", "online/grpo"} <= can
    assert "reward/bradley_terry" not in can


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("reward/bradley_terry", "bradley_terry trains reward and not the policy; leave it out"),
        ("online/safe_rlhf", "safe_rlhf .*cost"),
        ("online/ppo_ptx", "ppo_ptx reads prompts, text; the task has no text"),
    ],
)
def test_what_it_says(task, path, words):
    with pytest.raises(ConfigError, match=words):
        contender(path).check(task)


def test_a_procedure_gets_the_data_that_it_cannot_do_without(task):
    assert contender("iterative_dpo:rounds=2").reads(task) == {"prompts": "prompts"}
    assert contender("sdpo").reads(task) == {"pairs": "pairs"}
