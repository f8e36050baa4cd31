"""`posttrain plan`: a placement for a run file on a cluster, without running anything."""

import pytest
import yaml
from typer.testing import CliRunner

from posttrain.backends.plans.search import searched
from posttrain.cli.main import app
from posttrain.cli.plan import described, load_of, problem_of
from posttrain.config.load import load
from posttrain.errors import ConfigError
from posttrain.launch.checks import configured, method_of
from posttrain.models.loading.shape import shape_of
from posttrain.models.loading.tiny import tiny_model

PPO = {"model": "tiny", "method": "online/ppo", "data": "arithmetic", "rewards": "math_answer"}
CLUSTER = {"hosts": 2, "devices": 2, "memory": 1}


@pytest.fixture
def files(tmp_path):
    for name, content in (("run.yaml", PPO), ("cluster.yaml", CLUSTER)):
        (tmp_path / name).write_text(yaml.safe_dump(content))
    return tmp_path


@pytest.mark.paper("mei2024eqt")
def test_a_plan_is_printed(files):
    shown = CliRunner().invoke(
        app, ["plan", str(files / "run.yaml"), "--cluster", str(files / "cluster.yaml"), "--tries", "5"]
    )
    assert shown.exit_code == 0, shown.output
    lines = shown.output.splitlines()
    assert [line.split("  ")[0] for line in lines[1:4]] == ["generate policy", "read critic", "read policy"]
    assert lines[-3].startswith("a step: ")
    assert "bottleneck: generate policy" in lines[-3]
    assert lines[-2].startswith("memory: ")
    assert lines[-1].startswith("all calls on one mesh: ")


def test_the_search_is_no_slower_than_one_mesh_and_says_so(files):
    problem = problem_of(load(files / "run.yaml"), files / "cluster.yaml", 64)
    found = searched(problem, seed=0, tries=20)
    assert f"a step: {found.seconds:.4g} s" in "\n".join(described(found))


def test_the_load_is_that_of_the_run_file():
    file = load({**PPO, "sampling": {"samples": 3, "max_tokens": 7}, "train": {"prompts_per_step": 5}})
    method = configured(file, method_of(file))
    load_ = load_of(file, method, 11)
    assert (load_.answers, load_.prompt, load_.answer, load_.passes) == (15, 11, 7, 4)
    pairs = load({"model": "tiny", "method": "preference/dpo", "data": "a.jsonl", "train": {"prompts_per_step": 5}})
    assert load_of(pairs, configured(pairs, method_of(pairs)), 11).answers == 10


def test_the_shape_of_a_model():
    network = tiny_model()[0]
    shape = shape_of("tiny")
    assert shape["parameters"] == sum(p.numel() for p in network.trunk.parameters())
    assert shape["layers"] == network.trunk.config.num_hidden_layers


def test_a_procedure_has_no_one_plan(files):
    run = load({"model": "tiny", "procedure": "rounds/raft", "data": "arithmetic", "rewards": "math_answer"})
    with pytest.raises(ConfigError, match="name one"):
        problem_of(run, files / "cluster.yaml", 64)
