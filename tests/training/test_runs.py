"""Whole runs of the embedded model: every recipe, bit-exact repetition, resume, own rewards and losses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from posttrain.catalogue import index as catalogue
from posttrain.config.load import load
from posttrain.core.plan import plan
from posttrain.models.loading.tiny import tiny_model
from posttrain.sandbox.availability import available
from posttrain.viewer.display import Display
from tests.harness.runs import SHORT, SUMS, Interrupt, PowerCut, metrics, run, same_bits, weights

ROOT = Path(__file__).parents[2]
RECIPES = sorted((ROOT / "recipes").glob("*.yaml"))
BRIEF = [f"{k}={v}" for k, v in SHORT.items()]
KINDS = {
    "sft": {"method": "imitation/sft", "data": SUMS},
    "dpo": {"method": "preference/dpo", "data": SUMS},
    "kto": {"method": "preference/kto", "data": SUMS},
    "reward_model": {"method": "reward/bradley_terry", "data": SUMS},
    "grpo": {"method": {"path": "online/grpo"}, "data": SUMS, "rewards": ["exact_match", "digits"]},
    "ppo": {"method": "online/ppo_adaptive_kl", "data": SUMS, "rewards": ["digits"]},
    "remax": {"method": "online/remax", "data": SUMS, "rewards": ["digits"]},
    "dapo": {"method": "online/dapo", "data": SUMS, "rewards": ["digits"]},
    "nash_md": {"method": "online/nash_md", "data": SUMS, "rewards": ["longer"]},
    "ppo_ptx": {"method": "online/ppo_ptx", "data": {"main": SUMS, "pretrain": SUMS}, "rewards": ["digits"]},
    "lora": {
        "method": "online/grpo",
        "data": SUMS,
        "rewards": ["digits"],
        "model": {"path": "tiny", "lora": {"rank": 4}},
    },
    "lora_nash_md": {
        "method": "online/nash_md",
        "data": SUMS,
        "rewards": ["longer"],
        "model": {"path": "tiny", "lora": {"rank": 4}},
    },
    "shared_critic": {
        "method": "online/ppo",
        "data": SUMS,
        "rewards": ["digits"],
        "models": {"critic": "policy"},
    },
    "instructgpt": {
        "procedure": {"path": "instructgpt", "sft": {"steps": 3}, "reward": {"steps": 2}, "ppo": {"steps": 2}},
        "data": {"demonstrations": SUMS, "pairs": SUMS, "prompts": SUMS},
    },
}
REWARDS = """
def digits(completions):
    return [sum(c.isdigit() for c in text) / 4 for text in completions]


def longer(completions, opponent):
    return [0.5 if len(a) == len(b) else float(len(a) > len(b)) for a, b in zip(completions, opponent)]
"""


@pytest.fixture
def kind(request: pytest.FixtureRequest, tmp_path: Path) -> dict:
    (tmp_path / "mine.py").write_text(REWARDS)
    content = {"model": "tiny", "train": {"steps": 4, "save_every": 2}, **KINDS[request.param]}
    if "rewards" in content:
        own = {n: f"{tmp_path}/mine.py:{n}" for n in ("digits", "longer")}
        content["rewards"] = [own.get(r, r) for r in content["rewards"]]
    return content


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda p: p.stem)
def test_every_recipe_is_read_and_its_method_planned(recipe: Path) -> None:
    content = load(recipe)
    if content.method is not None:
        assert plan(catalogue.load(content.method.path, content.base)).trained


@pytest.mark.parametrize("kind", KINDS, indirect=True, ids=list(KINDS))
def test_the_same_run_twice_gives_the_same_bits(kind: dict, tmp_path: Path) -> None:
    first = run(kind, tmp_path / "a", *BRIEF, "scoring.workers=1")
    second = run(kind, tmp_path / "b", *BRIEF, "scoring.workers=3")
    assert metrics(first) == metrics(second)
    assert same_bits(first, second)


@pytest.mark.parametrize("kind", KINDS, indirect=True, ids=list(KINDS))
@pytest.mark.parametrize("cut", [1, 3])
def test_a_resumed_run_gives_the_bits_of_an_uninterrupted_one(kind: dict, cut: int, tmp_path: Path) -> None:
    whole = run(kind, tmp_path / "whole", *BRIEF)
    with pytest.raises(Interrupt):
        run(kind, tmp_path / "cut", *BRIEF, display=PowerCut(cut))
    resumed = run(kind, tmp_path / "cut", *BRIEF, resume=True)
    assert metrics(resumed) == metrics(whole)
    assert same_bits(resumed, whole)


def test_training_changes_the_weights(tmp_path: Path) -> None:
    content = {"model": "tiny", "train": {"steps": 1}, **KINDS["sft"]}
    trained = weights(run(content, tmp_path / "a", *BRIEF).model)
    from posttrain.models.loading.tiny import tiny_model

    start = tiny_model()[0].trunk.state_dict()
    changed = [n for n, x in trained.items() if not torch.equal(x, start[n.partition(":")[2]])]
    assert len(changed) == len(trained)


@pytest.mark.paper("lambert2023bty")
def test_a_run_leaves_what_a_person_looks_for(tmp_path: Path) -> None:
    content = {"model": "tiny", "train": {"steps": 2, "save_every": 1}, **KINDS["grpo"]}
    content["rewards"] = ["exact_match"]
    result = run(content, tmp_path, *BRIEF)
    here = result.directory
    assert {"config.yaml", "run.json", "metrics.jsonl", "samples", "checkpoints", "final"} <= {
        p.name for p in here.iterdir()
    }
    assert (here / "latest").resolve().name == "checkpoint-2"
    row = metrics(result)[0]
    assert {
        "loss",
        "reward",
        "reward_std",
        "kl",
        "entropy",
        "grad_norm",
        "learning_rate",
        "completions/mean_length",
    } <= set(row)
    sample = json.loads((here / "samples" / "step-000001.jsonl").read_text().splitlines()[0])
    assert set(sample["rewards"]) == {"exact_match"}
    assert "posttrain" in (result.model / "README.md").read_text()


@pytest.mark.fault("C12")
@pytest.mark.parametrize("folder", ["final", "checkpoints/checkpoint-2"])
def test_plain_transformers_opens_what_is_saved(folder: str, tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    content = {"model": "tiny", "train": {"steps": 2, "save_every": 2}, **KINDS["sft"]}
    result = run(content, tmp_path, *BRIEF)
    model = AutoModelForCausalLM.from_pretrained(result.directory / folder)
    tokenizer = AutoTokenizer.from_pretrained(result.directory / folder)
    ids = tokenizer("7+5=", return_tensors="pt")
    assert model.generate(**ids, max_new_tokens=3, do_sample=False).shape[0] == 1


@pytest.mark.paper("002:o1")
def test_gsm8k_rows_train_through_the_recipe(tmp_path: Path) -> None:
    lines = [
        {"question": f"Tom has {i} eggs and buys 2. How many?", "answer": f"{i} + 2 = {i + 2}\n#### {i + 2}"}
        for i in range(6)
    ]
    (tmp_path / "train.jsonl").write_text("\n".join(map(json.dumps, lines)))
    result = run(
        ROOT / "recipes" / "gsm8k_grpo.yaml", tmp_path, *BRIEF,
        "model=tiny", f"data.path={tmp_path}/train.jsonl", "train.steps=1", "sampling.samples=2",
        "rewards=[exact_match]",
    )  # fmt: skip
    sample = json.loads((result.directory / "samples" / "step-000001.jsonl").read_text().splitlines()[0])
    assert "eggs" in json.dumps(sample["prompt"])


def test_programs_train_through_the_recipe_and_the_header_names_the_sandbox(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if all(available().values()):
        pytest.skip("this machine has no sandbox")
    said: list[str] = []
    monkeypatch.setattr(Display, "start", lambda _, title, total, header=(), first_step=0: said.extend(header))
    result = run(
        ROOT / "recipes" / "programs_grpo.yaml", tmp_path, *BRIEF,
        "model=tiny", f"data.path={ROOT}/recipes/programs.jsonl", "train.steps=1", "sampling.samples=2",
        "scoring.timeout=60",
    )  # fmt: skip
    assert metrics(result)[-1]["errors/reward_python_tests"] == 0
    assert "programs that the model writes run in it" in said[-1]


def test_an_own_reward_in_python_and_in_a_run_file(tmp_path: Path) -> None:
    from examples.own_reward import brevity

    import posttrain

    result = posttrain.train(
        "tiny", "online/grpo", SUMS, [brevity], train={"steps": 1, "prompts_per_step": 2},
        sampling={"max_tokens": 4}, output=str(tmp_path / "a"),
    )  # fmt: skip
    assert metrics(result)[0]["rewards/brevity/mean"] < 0
    result = run(ROOT / "examples" / "own_reward.yaml", tmp_path / "b", *BRIEF, "train.steps=1")
    assert metrics(result)[0]["rewards/brevity/mean"] < 0


def test_an_own_loss_beside_the_run_file(tmp_path: Path) -> None:
    result = run(ROOT / "examples" / "own_loss.yaml", tmp_path, *BRIEF, "train.steps=1")
    assert metrics(result)[0]["loss"] == pytest.approx(0.25)  # (margin 0.5 - 0)² before the first update


def test_activation_checkpointing_changes_no_bit(tmp_path: Path) -> None:
    content = {"model": "tiny", "train": {"steps": 2}, **KINDS["sft"]}
    plain = run(content, tmp_path / "a", *BRIEF)
    saving = run(content, tmp_path / "b", *BRIEF, "model.activation_checkpointing=true")
    assert metrics(plain) == metrics(saving)
    assert same_bits(plain, saving)


@pytest.mark.paper("000:[82]")
def test_the_reference_of_a_model_with_adapters_costs_no_second_model(tmp_path: Path) -> None:
    from posttrain.launch.run import open_session
    from posttrain.models.without_adapters import WithoutAdapters

    content = {"train": {"steps": 2}, **KINDS["lora"], "rewards": ["exact_match"]}
    with open_session(load(content, [*BRIEF, f"output={tmp_path}"])) as session:
        before = {n: x.clone() for n, x in session.run.learner.models["policy"].state_dict().items()}
        session.train("preference/dpo", session.dataset(session.run.file.data["main"], "pairs"), rewards=())
        assert isinstance(session.run.learner.models["reference"], WithoutAdapters)
        after = session.run.learner.models["policy"].state_dict()
        moved = {n for n, x in after.items() if not torch.equal(x, before[n])}
    assert moved
    assert all("lora_" in n for n in moved)


@pytest.mark.paper("001-text:PEFT family")
def test_a_run_with_ia3_resumes_with_its_bits_and_moves_nothing_but_vectors(tmp_path: Path) -> None:
    content = {"model": {"path": "tiny", "ia3": {}}, "method": "preference/dpo", "data": SUMS}
    content["train"] = {"steps": 2, "save_every": 1}
    whole = run(content, tmp_path / "whole", *BRIEF)
    with pytest.raises(Interrupt):
        run(content, tmp_path / "cut", *BRIEF, display=PowerCut(1))
    resumed = run(content, tmp_path / "cut", *BRIEF, resume=True)
    assert same_bits(resumed, whole)
    base = tiny_model()[0].trunk.state_dict()
    saved = {n.partition(":")[2]: x for n, x in weights(whole.model).items()}
    moved = {n.split(".")[-2] for n, x in saved.items() if not torch.equal(x, base[n])}
    assert moved == {"k_proj", "v_proj", "down_proj"}


def test_rows_that_a_run_drops_are_listed_in_its_run_json(tmp_path: Path) -> None:
    rows = [{"prompt": f"{i}+1=", "chosen": "7", "rejected": "a" if i != 2 else ""} for i in range(6)]
    file = tmp_path / "pairs.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)))
    content = {"model": "tiny", "method": "preference/dpo", "data": {"path": str(file), "invalid": "drop"}}
    made = run(content, tmp_path, *BRIEF, "train.steps=1")
    for folder in (made.directory, made.directory / "logs" / "attempt_1"):
        told = json.loads((folder / "run.json").read_text())
        assert told["dropped"] == {str(file): [f"{file}:3: 'rejected' is empty"]}
        assert told["attempt"] == 1
