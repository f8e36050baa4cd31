"""Shell scripts that start a training: their variables and sums, without running anything."""

from __future__ import annotations

import pytest

from posttrain.convert.shell import expanded, script_words, words
from posttrain.convert.source import read_source
from posttrain.errors import ConfigError

SCRIPT = """
#!/usr/bin/env bash
set -x
# export MODEL=commented
export MODEL=${1:-Qwen/Qwen2.5-0.5B}   # the first argument
max_prompt=$((1024 * 2))
max_answer=$(( max_prompt / 4 ))
files="['$HOME/a.parquet']"

python3 -m verl.trainer.main_ppo \\
    data.train_files="$files" data.max_prompt_length=${max_prompt} \\
    data.max_response_length=$max_answer data.train_batch_size=$((8 * ${N:-4})) \\
    custom_reward_function.path=$(pwd)/r.py actor_rollout_ref.model.path=$MODEL \\
    ++trainer.nnodes=${NNODES} $@ 2>&1 | tee x=1
"""


@pytest.mark.fault("K4")
def test_a_script(tmp_path):
    file = tmp_path / "run.sh"
    file.write_text(SCRIPT)
    values = read_source(str(file), None).values
    assert values == {
        "data.train_files": ["~/a.parquet"],
        "data.max_prompt_length": 2048,
        "data.max_response_length": 512,
        "data.train_batch_size": 32,
        "custom_reward_function.path": "r.py",
        "actor_rollout_ref.model.path": "Qwen/Qwen2.5-0.5B",
        "trainer.nnodes": "${NNODES}",
    }


def test_the_first_value_of_a_variable_counts():
    assert script_words("A=1\nif x; then\n  A=2\nfi\nrun $A")[-1] == "1"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$((2 + 3 * 4))", "14"),
        ("$((7 / 2))", "3"),
        ("$((1 / 0))", "$((1 / 0))"),
        ("$((f(1)))", "$((f(1)))"),
        ("$((2.5 * 2))", "$((2.5 * 2))"),
        ("${X-${Y:-3}}", "3"),
        ("$UNKNOWN", "$UNKNOWN"),
    ],
)
def test_what_is_expanded(text: str, value: str):
    assert expanded(text, {}) == value


def test_yaml_is_read_as_other_trainers_read_it(tmp_path):
    file = tmp_path / "a.yaml"
    file.write_text("a: 500_000\nb: yes\nc: Off\nd: no\ne: 1e-4\nf: {g: on}\n")
    values = read_source(str(file), ("f",)).values
    assert values == {"a": 500_000, "b": True, "c": False, "d": "no", "e": 1e-4, "f.g": True}


def test_an_open_quote_is_an_error():
    with pytest.raises(ConfigError, match="the command cannot be read: No closing quotation"):
        words("trl dpo --beta '0.1")
