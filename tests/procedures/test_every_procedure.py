"""Every procedure, end to end on the embedded model: it runs, learns what it should, and resumes bit for bit."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from posttrain.catalogue import index as catalogue
from posttrain.config.load import load
from posttrain.errors import ConfigError
from posttrain.launch.checks import procedure_of
from posttrain.rewards.reward import resolve
from tests.harness import fake_baselines
from tests.harness.runs import Interrupt, PowerCut, metrics, run, same_bits
from tests.procedures.running import BRIEF, LEARNERS, PROCEDURES, content, learners_content

ROOT = Path(__file__).parents[2]
RECIPES = [p for p in sorted((ROOT / "recipes").glob("*.yaml")) if "procedure:" in p.read_text()]

POLICIES = [f"{one}-{n}.safetensors" for one in ("alone", "helped") for n in range(2)]


def test_every_procedure_is_tested() -> None:
    assert {catalogue.PROCEDURES.full(name) for name in (*PROCEDURES, *LEARNERS)} == set(catalogue.procedures())


@pytest.mark.paper("002:RLHF")
@pytest.mark.parametrize("name", PROCEDURES)
def test_a_resumed_procedure_gives_the_bits_of_an_uninterrupted_one(name: str, tmp_path: Path) -> None:
    """Cut once: after the first step, in the middle or after the last, in turn from procedure to procedure."""
    given = content(name, tmp_path)
    whole = run(given, tmp_path / "whole", *BRIEF)
    steps = len(metrics(whole))
    assert steps > 1
    cut = (1, steps // 2, steps)[[*PROCEDURES].index(name) % 3]
    with pytest.raises(Interrupt):
        run(given, tmp_path / "cut", *BRIEF, display=PowerCut(cut))
    resumed = run(given, tmp_path / "cut", *BRIEF, resume=True)
    assert metrics(resumed) == metrics(whole), f"cut after step {cut} of {steps}"
    assert same_bits(resumed, whole)
    for file in (whole.directory / "rounds").glob("*.jsonl"):
        assert (resumed.directory / "rounds" / file.name).read_text() == file.read_text()


@pytest.mark.parametrize("name", LEARNERS)
def test_a_procedure_without_a_policy_ends_with_the_same_artefacts_each_time(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "stable_baselines3", fake_baselines)
    made = [run(learners_content(name), tmp_path / str(n)) for n in (1, 2)]
    files = [{f.name: f.read_bytes() for f in r.directory.glob("artefacts/*")} for r in made]
    assert files[0] == files[1]
    weights = [f for f in files[0] if f.endswith(".safetensors")]
    assert sorted(weights) == (POLICIES if name == "stable_baselines" else [])
    assert files[0]
    assert made[0].metrics == made[1].metrics
    assert made[0].metrics == {n: x for n, x in metrics(made[0])[-1].items() if n != "step"}
    assert made[0].model is None


@pytest.mark.paper("002:RLHF")
@pytest.mark.parametrize("recipe", RECIPES, ids=lambda p: p.stem)
def test_every_recipe_calls_its_procedure_as_it_can_be_called(recipe: Path) -> None:
    asked = load(recipe)
    assert callable(procedure_of(asked))
    assert [resolve({"path": r.path, **r.settings}) for r in asked.rewards] or asked.method is None


def test_every_procedure_has_a_recipe_for_smollm2() -> None:
    runs = [load(recipe) for recipe in RECIPES if recipe.stem.startswith("smollm2_")]
    assert {catalogue.PROCEDURES.full(run.procedure.path) for run in runs if run.procedure} == set(
        catalogue.procedures()
    )


@pytest.mark.parametrize("name", [*PROCEDURES, *LEARNERS])
def test_a_procedure_is_short_and_says_what_it_does(name: str) -> None:
    entry = catalogue.entry(catalogue.PROCEDURES.full(name) or name)
    assert entry.kind == "procedure"
    assert len(entry.title) > 10
    assert len(entry.summary) > 40 or name == "warm_start"


def test_a_setting_of_the_wrong_kind_is_named_before_a_model_is_loaded(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"procedure\.pairing: 'bestt'.*best_and_worst"):
        run(content("iterative_dpo", tmp_path, pairing="bestt"), tmp_path / "a", *BRIEF)
    with pytest.raises(ConfigError, match=r"procedure\.rounds: 'two'"):
        run(content("raft", tmp_path, rounds="two"), tmp_path / "b", *BRIEF)


def test_answers_without_rewards_are_refused(tmp_path: Path) -> None:
    given = content("raft", tmp_path) | {"rewards": []}
    with pytest.raises(ConfigError, match="names no `rewards`"):
        run(given, tmp_path / "a", *BRIEF)
