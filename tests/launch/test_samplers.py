"""Which sampler a run file gets, and what it refuses before a model is loaded."""

import sys

import pytest

from posttrain.config.load import load
from posttrain.errors import ConfigError, ModelError
from tests.harness.runs import run

FILE = {
    "model": "tiny",
    "method": "online/grpo",
    "data": "arithmetic:chat=false,size=4",
    "rewards": "math_answer",
    "train": {"steps": 1, "prompts_per_step": 2},
}


def test_settings_of_another_engine_are_refused():
    assert load(FILE).sampler.path == "native"
    with pytest.raises(ConfigError, match="enforce_eager is a setting of another engine; add path: vllm"):
        load({**FILE, "sampler": {"path": "native", "enforce_eager": True}})
    with pytest.raises(ConfigError, match="sampler.path"):
        load({**FILE, "sampler": "sglang"})


def test_a_python_is_found_beside_the_run_file_and_stays_a_link(tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").symlink_to(sys.executable)
    found = load({**FILE, "sampler": {"path": "vllm", "python": "bin/python"}}, base=tmp_path).sampler
    assert found.python == str(tmp_path / "bin" / "python")
    with pytest.raises(ConfigError, match="there is no file './no/python'"):
        load({**FILE, "sampler": {"path": "vllm", "python": "./no/python"}}, base=tmp_path)


def test_answers_of_another_engine_are_corrected_unless_the_run_file_says_otherwise():
    from posttrain.launch.checks import configured, method_of

    def metrics(**sampler):
        file = load({**FILE, "sampler": sampler})
        return configured(file, method_of(file)).metrics

    assert "rollout_correction/mean_weight" not in metrics()
    assert "rollout_correction/mean_weight" in metrics(path="vllm")
    assert "sampling/logp_difference" in metrics(path="vllm")


def test_without_vllm_the_error_says_how_to_get_it(tmp_path):
    with pytest.raises(ModelError, match="has no vLLM; make a venv for it"):
        run({**FILE, "sampler": "vllm"}, tmp_path)
