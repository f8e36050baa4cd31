"""Numbers in columns of the data reach the loss of a whole run, and what is missing is said before any work is done."""

import json

import pytest

from posttrain.core.plan import PlanError
from posttrain.errors import ConfigError, DataError
from tests.harness.runs import SHORT, SUMS, metrics, run

BRIEF = [f"{k}={v}" for k, v in SHORT.items()]
PAIRS = [{"prompt": f"{i}+1=", "chosen": str(i + 1), "rejected": str(i)} for i in range(8)]


def written(tmp_path, rows):
    file = tmp_path / "data.jsonl"
    file.write_text("".join(json.dumps(r) + "\n" for r in rows))
    return str(file)


def ran(tmp_path, method, rows, *more):
    data = rows if isinstance(rows, str) else written(tmp_path, rows)
    source = {"method": method, "data": data, "model": "tiny"}
    return run(source, tmp_path / "out", *BRIEF, "train.steps=2", *more)


def test_a_margin_of_the_data_moves_the_loss(tmp_path):
    """Policy and reference are one at the start: log(1 + e^(λβ margin))."""
    rows = [r | {"margin": 100.0} for r in PAIRS]
    result = ran(tmp_path, "preference/sr_dpo", rows)
    assert metrics(result)[0]["loss"] == pytest.approx(1.3132617, abs=1e-5)  # λβ margin is 1


def test_rewards_of_the_data_replace_the_reward_model(tmp_path):
    rows = [r | {"chosen_reward": 1, "rejected_reward": 0} for r in PAIRS]
    assert metrics(ran(tmp_path, "preference/rpo", rows))[0]["loss"] == pytest.approx(0.1109, abs=1e-4)


@pytest.mark.parametrize("method", ["preference/dpo_list", "preference/exo_list", "imitation/var"])
def test_rankings(tmp_path, method):
    assert len(metrics(ran(tmp_path, method, SUMS))) == 2


def test_scored_demonstrations(tmp_path):
    rows = [{"prompt": r["prompt"], "completion": r["chosen"], "reward": 1.0} for r in PAIRS]
    assert len(metrics(ran(tmp_path, "offline/dro", rows))) == 2


@pytest.mark.fault("F2")
def test_a_column_that_is_missing_is_asked_for(tmp_path):
    with pytest.raises(ConfigError, match="Add a column 'margin' to the data"):
        ran(tmp_path, "preference/sr_dpo", PAIRS)


def test_a_column_that_only_some_rows_have_is_named_with_its_line(tmp_path):
    with pytest.raises(DataError, match=r"data.jsonl:8: 'margin' is a number in some records"):
        ran(tmp_path, "preference/sr_dpo", [*(r | {"margin": 1} for r in PAIRS[:7]), PAIRS[7]])


def test_a_column_that_the_method_does_not_read_may_hold_anything(tmp_path):
    rows = [r | {"margin": "wide", "reward": None} for r in PAIRS]
    assert len(metrics(ran(tmp_path, "preference/dpo", rows))) == 2


@pytest.mark.parametrize("method", ["preference/tdpo2", "preference/wpo", "preference/beta_dpo"])
def test_losses_that_read_the_whole_vocabulary_or_keep_state(tmp_path, method):
    assert len(metrics(ran(tmp_path, method, SUMS))) == 2


@pytest.mark.parametrize("method", ["online/online_dpo", "online/xpo", "online/f_dpg"])
def test_pairs_and_targets_of_sampled_answers(tmp_path, method):
    (tmp_path / "mine.py").write_text("def digits(completions):\n    return [len(c) / 4 for c in completions]\n")
    source = {"method": method, "data": SUMS, "model": "tiny", "rewards": [f"{tmp_path}/mine.py:digits"]}
    result = run(source, tmp_path / "out", *BRIEF, "train.steps=2")
    assert len(metrics(result)) == 2


NAMED = """
from posttrain.core.method import SEQUENCE_MEAN, Method, Sampling, Stream, Term
from posttrain.core.parts import PerRow, PerToken
from posttrain.core.vocabulary import Field
from posttrain.formulas.losses.policy_gradient import reinforce


def mixed(reward_length: PerRow, token_reward_halves: PerToken, rows) -> PerToken:
    return rows.spread(reward_length) + token_reward_halves


METHOD = Method(
    name="named",
    streams=Stream("prompts", (Sampling(samples=2),)),
    fields={
        "reward_length": Field("B", "the reward of that name"),
        "token_reward_halves": Field("T", "what that reward gives to each token"),
    },
    derived={"advantage": mixed},
    loss=Term(reinforce, reduce=SEQUENCE_MEAN),
)
"""
REWARDS = """
from posttrain.rewards.verdicts import Spans


def length(completions):
    return [float(len(c)) for c in completions]


def halves(completions):
    return [Spans([(0, 1, 1.0)]) if c else None for c in completions]
"""


def test_rewards_arrive_by_name_and_token_by_token(tmp_path):
    (tmp_path / "named.py").write_text(NAMED)
    (tmp_path / "rewards.py").write_text(REWARDS)
    content = {
        "model": "tiny",
        "method": str(tmp_path / "named.py"),
        "data": SUMS,
        "rewards": [f"{tmp_path}/rewards.py:length", f"{tmp_path}/rewards.py:halves"],
        "train": {"steps": 1, "prompts_per_step": 4, "samples_every": 1},
        "sampling": {"max_tokens": 4},
    }
    result = run(content, tmp_path / "run")
    assert result.metrics["rewards/length/mean"] > 0
    assert result.metrics["rewards/halves/mean"] == 1.0
    with pytest.raises(PlanError, match="reads token_reward_halves .* nothing provides it"):
        run({**content, "rewards": content["rewards"][:1]}, tmp_path / "other")
