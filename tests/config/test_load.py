"""From a run file to a checked run: short forms, errors that list everything, the fix-point of loading and dumping."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from posttrain.config import RunFile, dump, load, resolved
from posttrain.config.outline import fields
from posttrain.config.schema import Model, Train
from posttrain.config.yaml_ import parse
from posttrain.errors import ConfigError

LEAST = {"model": "m", "method": "online/grpo", "data": "d.jsonl"}


def problem(**keys: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        load({**LEAST, **keys})
    return str(caught.value)


def write(folder: Path, text: str) -> Path:
    file = folder / "run.yaml"
    file.write_text(text)
    return file


def test_the_run_file_of_the_readme(tmp_path: Path) -> None:
    (tmp_path / "my_rewards.py").write_text("")
    run = load(
        write(
            tmp_path,
            """
model: HuggingFaceTB/SmolLM2-135M-Instruct
method: {path: online/grpo, clipped_surrogate.high: 0.28}
data: problems.jsonl
rewards: [math_answer, my_rewards.py:brevity]
sampling: {samples: 8, max_tokens: 256}
train: {steps: 200, prompts_per_step: 32, tokens_per_device: 16384, learning_rate: 1e-6}
seed: 0
""",
        )
    )
    assert run.model.path == "HuggingFaceTB/SmolLM2-135M-Instruct"
    assert run.method is not None
    assert (run.method.path, run.method.settings) == ("online/grpo", {"clipped_surrogate.high": 0.28})
    assert run.data["main"].path == "problems.jsonl"
    assert [(r.path, r.weight) for r in run.rewards] == [
        ("math_answer", 1.0),
        (f"{tmp_path}/my_rewards.py:brevity", 1.0),
    ]
    assert (run.sampling.samples, run.train.steps, run.train.learning_rate) == (8, 200, 1e-6)
    assert run.base == tmp_path
    assert run.procedure is None


def test_short_and_long_forms_are_the_same_run() -> None:
    short = {
        **LEAST,
        "models": {"critic": "policy"},
        "rewards": ["a", {"b": 0.5}, {"path": "c", "weight": -1, "limit": 3}],
        "method": {"path": "online/ppo", "gae": {"lam": 0.9}, "kl.weight": 0.1},
        "evaluate": {"data": "e.jsonl"},
    }
    long = {
        **LEAST,
        "model": {"path": "m"},
        "models": {"critic": {"path": "policy"}},
        "data": {"main": {"path": "d.jsonl"}},
        "rewards": [{"path": "a", "weight": 1}, {"path": "b", "weight": 0.5}, {"path": "c", "weight": -1, "limit": 3}],
        "method": {"path": "online/ppo", "gae.lam": 0.9, "kl": {"weight": 0.1}},
        "evaluate": {"data": {"path": "e.jsonl"}},
    }
    assert load(short) == load(long)
    assert load(short).models["critic"].shared


def test_python_code_may_write_paths_as_paths() -> None:
    assert load({"model": Path("m"), "method": "x", "data": Path("d")}) == load({**LEAST, "method": "x", "data": "d"})


def test_one_source_and_several_streams() -> None:
    assert load({**LEAST, "data": {"path": "a", "size": 3}}).data["main"].size == 3
    streams = load({**LEAST, "data": {"main": "a", "ptx": {"path": "b", "columns": {"prompt": "q"}}}}).data
    assert (streams["main"].path, streams["ptx"].columns) == ("a", {"prompt": "q"})


def test_learning_rate_and_warmup_have_two_forms() -> None:
    train = load({**LEAST, "train": {"learning_rate": {"policy": 1e-6, "critic": 1e-5}, "warmup": 0.1}}).train
    assert train.learning_rate == {"policy": 1e-6, "critic": 1e-5}
    assert train.warmup == 0.1
    assert type(load({**LEAST, "train": {"warmup": 10}}).train.warmup) is int


@pytest.mark.fault("F1")
@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"train": {"stpes": 5}}, "train.stpes is not a key of the run file (did you mean 'train.steps'?)"),
        ({"modle": "x"}, "modle is not a key of the run file (did you mean 'model'?)"),
        ({"slots": 5}, "slots is not a key of the run file (did you mean 'sampling.slots'?)"),
        ({"evaluate": {"data": "e", "size": 5}}, "evaluate.size is not a key of the run file (did you mean"),
        ({"max_stps": 5}, "(did you mean 'train.steps'?)"),
        ({"train.steps": 5}, "write it nested, as in train: {steps: 5}"),
        ({"bf16": True}, "bf16 is not a key of the run file; set model.dtype to bfloat16"),
        ({"beta": 0.1}, "settings of the method are written method.beta"),
        ({"zzz": 1}, "zzz is not a key of the run file; `posttrain keys` lists them"),
        ({"base": "/tmp"}, "base is not a key of the run file"),
        (
            {"data": {"path": "d", "colums": {}}},
            "data.colums is not a key of the run file (did you mean 'data.columns'",
        ),
        ({"models": {"critic": {"path": "a", "dtpe": "auto"}}}, "(did you mean 'models.critic.dtype'?)"),
        ({"train": {"steps": "ten"}}, "train.steps is 'ten'; expected a whole number (number of training steps"),
        ({"train": {"steps": True}}, "train.steps is true; expected a whole number"),
        ({"train": {"steps": 5.0}}, "train.steps is 5.0; expected a whole number"),
        ({"train": {"steps": 0}}, "train.steps is 0; expected more than 0"),
        ({"train": {"keep": None}}, "train.keep is null; expected a whole number"),
        ({"train": {"learning_rate": math.nan}}, "train.learning_rate is nan; expected a finite number"),
        ({"train": {"learning_rate": math.inf}}, "train.learning_rate is inf; expected a finite number"),
        ({"train": {"learning_rate": -1e-6}}, "train.learning_rate is -1e-06; expected more than 0"),
        ({"train": {"learning_rate": "1e-6x"}}, "train.learning_rate is '1e-6x'; expected a number"),
        ({"train": {"learning_rate": {"critic": -1}}}, "train.learning_rate.critic is -1; expected more than 0"),
        ({"train": {"warmup": 1.5}}, "train.warmup is 1.5; expected less than 1"),
        ({"train": {"warmup": True}}, "train.warmup is true; expected a whole number"),
        ({"train": {"betas": [0.9]}}, "train.betas.1 is missing"),
        ({"train": {"betas": [0.9, 1.0]}}, "train.betas.1 is 1.0; expected less than 1"),
        ({"train": {"schedule": "cosin"}}, "train.schedule is 'cosin'; expected 'constant', 'linear' or 'cosine'"),
        ({"train": 5}, "train is 5; expected a mapping"),
        ({"sampling": {"top_p": 0}}, "sampling.top_p is 0; expected more than 0"),
        ({"sampling": {"temperature": 0}}, "sampling.temperature is 0; expected more than 0"),
        ({"scoring": {"max_error_rate": 2}}, "scoring.max_error_rate is 2; expected at most 1"),
        ({"seed": -1}, "seed is -1; expected at least 0"),
        ({"device": "gpu"}, "device: 'gpu' is no device; choose auto, cpu, cuda, cuda:N"),
        ({"name": "a/b"}, "name is 'a/b'"),
        ({"model": 5}, "model is 5; expected a mapping"),
        ({"model": ""}, "model.path is ''; expected a text that is not empty"),
        (
            {"model": {"revision": 1, "path": "m"}},
            "model.revision is 1; expected a text, in quotes: model.revision='\"1\"'",
        ),
        (
            {"model": {"dtype": "bfloat16"}},
            "model.path is missing (hub id, folder of a model, adapter or run",
        ),
        ({"model": {"path": "m", "lora": {"rank": 0}}}, "model.lora.rank is 0; expected more than 0"),
        ({"model": "policy"}, "model is the policy itself"),
        ({"models": {"policy": "m"}}, "models.policy cannot be set"),
        ({"models": {"critic": {"path": "policy", "dtype": "float32"}}}, "models.critic: shares the weights"),
        ({"model": {"endpoint": {"model": "m"}}}, "model.endpoint is not a key of the run file"),
        ({"models": {"judge": {"dtype": "float32"}}}, "models.judge: path or endpoint is missing: {path: FOLDER}"),
        ({"models": {"judge": ""}}, "models.judge: path or endpoint is missing"),
        (
            {"models": {"judge": {"path": "m", "endpoint": {"model": "m"}}}},
            "models.judge: endpoint names a model behind a server, so path cannot be set here",
        ),
        ({"models": {"judge": {"path": "policy", "endpoint": {"model": "m"}}}}, "models.judge: shares the weights"),
        ({"models": {"judge": {"endpoint": "m"}}}, "models.judge.endpoint is 'm'; expected a mapping"),
        (
            {"models": {"judge": {"endpoint": {"read": math.nan}}}},
            "models.judge.endpoint: endpoint.read is not a number",
        ),
        (
            {"models": {"judge": {"endpoint": {"api_key": "x"}}}},
            "models.judge.endpoint: api_key holds a key or a password",
        ),
        ({"data": {}}, "data is missing (records to learn from"),
        ({"rewards": [{"a": "much"}]}, "rewards.0.weight is 'much'; expected a number"),
        ({"rewards": ["a", {"b": math.nan}]}, "rewards.1.weight is nan; expected a finite number"),
        ({"rewards": ["./no.py:f"]}, "rewards.0.path: there is no file './no.py' in "),
        ({"method": {"path": "online/grpo", "high": math.nan}}, "method: high is not a number (NaN)"),
        ({"method": {"path": "online/grpo", "a.b": 1, "a": {"b": 2}}}, "method.a.b is given twice"),
        ({"train": {"steps": 5, "epochs": 1}}, "train: steps=5 and epochs=1 both say when to stop"),
        ({"procedure": "iterative"}, "method='online/grpo' and procedure='iterative' both say how to learn"),
        ({"method": None}, "method is missing"),
    ],
)
def test_what_is_wrong_is_named_with_what_was_expected(keys: dict[str, Any], expected: str) -> None:
    assert expected in problem(**keys)


def test_a_model_alone_is_enough_for_a_session_but_not_for_a_run() -> None:
    run = load({"model": "m"}, complete=False)
    assert (run.method, run.procedure, run.data) == (None, None, {})
    assert load(resolved(run), complete=False) == run
    for values in (resolved(run), {"model": "m"}, {"model": "m", "method": "x"}):
        with pytest.raises(ConfigError, match="^data is missing"):
            load(values)
    with pytest.raises(ConfigError, match="^method is missing: a name that `posttrain methods` lists"):
        load({"model": "m", "data": "d"})
    with pytest.raises(ConfigError, match="both say how to learn"):
        load({"model": "m", "method": "x", "procedure": "y"}, complete=False)


def test_keys_that_must_be_there() -> None:
    with pytest.raises(ConfigError) as caught:
        load({})
    assert "model is missing" in str(caught.value)
    assert "data is missing" in str(caught.value)


@pytest.mark.fault("F1")
def test_all_problems_come_at_once_with_their_lines(tmp_path: Path) -> None:
    file = write(tmp_path, "model: m\nmethod: x\ndata: d\ntrain:\n  keep: -1\n  stpes: 2\n")
    with pytest.raises(ConfigError) as caught:
        load(file, ["sampling.slots=0", "--sampling.temperature", "hot"])
    assert str(caught.value).splitlines() == [
        f"{file}: 4 problems",
        "  command line: sampling.temperature is 'hot'; expected a number (divisor of the logits, 0.6 to 1.2 in "
        "practice; null takes the method's temperature)",
        "  command line: sampling.slots is 0; expected more than 0 (sequences sampled concurrently; more slots are "
        "faster and take more memory for keys and values)",
        f"  {file}:5: train.keep is -1; expected more than 0 (number of newest checkpoints to keep)",
        f"  {file}:6: train.stpes is not a key of the run file (did you mean 'train.steps'?)",
    ]


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    write(tmp_path, "model: m")
    with pytest.raises(ConfigError, match=r"there is no such file \(did you mean 'run.yaml'\?\)"):
        load(tmp_path / "rum.yaml")
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        load(tmp_path)
    (tmp_path / "latin.yaml").write_bytes(b"model: m\nname: caf\xe9\n")
    with pytest.raises(ConfigError, match=r"latin\.yaml:2: is not UTF-8"):
        load(tmp_path / "latin.yaml")
    (tmp_path / "big.yaml").write_bytes(b"#" * 1_000_001)
    with pytest.raises(ConfigError, match="a run file has at most"):
        load(tmp_path / "big.yaml")


def test_code_is_found_beside_the_run_file_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    beside, here = tmp_path / "beside", tmp_path / "here"
    for folder in (beside, here):
        folder.mkdir()
        (folder / "both.py").write_text("")
    (here / "only_here.py").write_text("")
    monkeypatch.chdir(here)
    run = load({**LEAST, "method": "./both.py", "rewards": ["only_here.py:f", "exact.py.name"]}, base=beside)
    assert run.method is not None
    assert run.method.path == str(beside / "both.py")
    assert [r.path for r in run.rewards] == [f"{here / 'only_here.py'}:f", "exact.py.name"]


def test_a_run_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        load(LEAST).train.steps = 5


def test_every_key_has_a_description() -> None:
    described = dict(fields())
    assert {"train.steps", "model.lora.rank", "evaluate.data.path", "data.columns"} <= described.keys()
    assert [name for name, field in described.items() if not (field.description or "").endswith(".")] == []


def test_defaults_are_the_documented_ones() -> None:
    run = load(LEAST)
    assert run.train == Train()
    assert (run.sampling.max_tokens, run.sampling.slots, run.train.tokens_per_device) == (256, 64, 16384)
    assert (run.scoring.workers, run.scoring.timeout, run.scoring.max_error_rate) == (2, 10.0, 0.05)
    assert (run.seed, run.output, run.device) == (0, Path("runs"), "auto")


def test_aliases_of_other_trainers(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    text = "model_name_or_path: m\ndataset_name: d\nmethod: x\nmax_steps: 5\nnum_generations: 4\nlearning_rate: 1e-5\n"
    run = load(write(tmp_path, text), ["--max_completion_length", "99", "--output-dir=out"])
    assert (run.model.path, run.data["main"].path, run.train.steps) == ("m", "d", 5)
    assert (run.sampling.samples, run.train.learning_rate, run.sampling.max_tokens) == (4, 1e-5, 99)
    assert run.output == Path("out")
    assert f"{tmp_path}/run.yaml:4: 'max_steps' is called 'train.steps' here" in caplog.messages
    assert "command line: 'output_dir' is called 'output' here" in caplog.messages


def test_an_alias_keeps_its_line_and_may_not_repeat_a_key(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"run.yaml:4: train.steps is -1"):
        load(write(tmp_path, "model: m\ndata: d\nmethod: x\nmax_steps: -1\n"))
    with pytest.raises(ConfigError, match=r"run.yaml:1: 'max_steps' and 'train.steps' are the same thing"):
        load(write(tmp_path, "max_steps: 5\ntrain: {steps: 4}\nmodel: m\ndata: d\nmethod: x\n"))
    with pytest.raises(ConfigError, match="'model_name_or_path' and 'model.path' are the same thing"):
        load({**LEAST, "model_name_or_path": "n"})


@pytest.mark.parametrize(
    "keys",
    [
        {"train": {"lr": 1e-5}},
        {"lr": 1e-5},
        {"train": {"learning_rate": "1e-5"}},
        {"train": {"learning_rate": " 0.00001"}},
    ],
)
def test_names_of_others_may_be_nested_and_numbers_quoted(keys: dict[str, Any]) -> None:
    assert load({**LEAST, **keys}).train.learning_rate == 1e-5


def test_quoted_numbers_are_held_to_the_same_bounds() -> None:
    assert load({**LEAST, "train": {"steps": "5", "warmup": "0.1"}}).train.warmup == 0.1
    assert load({**LEAST, "train": {"warmup": "7"}}).train.warmup == 7
    assert "train.steps is 5.0; expected a whole number" in problem(train={"steps": "5.0"})
    assert "train.steps is '-1'; expected more than 0" in problem(train={"steps": "-1"})
    assert load({**LEAST, "name": "50"}).name == "50"


@pytest.mark.parametrize("keys", [{"lora": {"r": 8}}, {"lora_r": 8}, {"model": {"path": "m", "lora": {"r": 8}}}])
def test_every_spelling_of_an_adapter(keys: dict[str, Any]) -> None:
    lora = load({**LEAST, **keys}).model.lora
    assert lora is not None
    assert lora.rank == 8
    role = load({**LEAST, "models": {"critic": {"path": "c", "lora": {"lora_alpha": 8}}}}).models["critic"]
    assert role.lora is not None
    assert role.lora.alpha == 8


@pytest.mark.parametrize("keys", [{"optim": {"lr": 1}}, {"sampling": {"lr": 1}}, {"train": {"lora": {"r": 1}}}])
def test_a_name_of_others_in_a_wrong_section_is_an_error(keys: dict[str, Any]) -> None:
    assert "is not a key of the run file" in problem(**keys)


def test_settings_of_code_are_left_alone() -> None:
    run = load({**LEAST, "method": {"path": "x", "lr": 1, "temperature": 2}, "rewards": [{"path": "r", "lr": 3}]})
    assert run.method is not None
    assert (run.method.settings, run.rewards[0].settings) == ({"lr": 1, "temperature": 2}, {"lr": 3})


_NAMES = st.text("abcdefg_", min_size=1, max_size=8)
_TEXTS = st.text(min_size=1).filter(lambda text: not text.endswith(".py") and ".py:" not in text and text != "policy")
_COUNTS = st.integers(1, 10**12)
_POSITIVE = st.floats(min_value=0, exclude_min=True, allow_infinity=False)
_SETTINGS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
_CODE = st.tuples(st.dictionaries(_NAMES, _SETTINGS, max_size=3), _TEXTS).map(lambda t: {**t[0], "path": t[1]})
_MODEL = st.fixed_dictionaries(
    {"path": _TEXTS},
    optional={
        "revision": st.text(),
        "dtype": st.sampled_from(["auto", "float32"]),
        "lora": st.none() | st.fixed_dictionaries({"rank": _COUNTS}, optional={"targets": st.lists(st.text())}),
        "chat_template": st.text(),
    },
)
_ENDPOINT = st.fixed_dictionaries(
    {"endpoint": st.fixed_dictionaries({"model": st.just("m")}, optional={"read": _POSITIVE})}
)
_DATA = st.fixed_dictionaries({"path": _TEXTS}, optional={"columns": st.dictionaries(st.text(), st.text())})
_RUNS = st.fixed_dictionaries(
    {"model": _MODEL | _TEXTS, "data": _DATA | _TEXTS | st.dictionaries(_NAMES, _DATA, min_size=1)},
    optional={
        "models": st.dictionaries(_NAMES, _MODEL | _ENDPOINT | st.just("policy")),
        "rewards": st.lists(_TEXTS | st.dictionaries(_TEXTS, st.floats(-9, 9), min_size=1, max_size=1) | _CODE),
        "train": st.fixed_dictionaries(
            {},
            optional={
                "epochs": _POSITIVE,
                "learning_rate": _POSITIVE | st.dictionaries(_NAMES, _POSITIVE),
                "warmup": _COUNTS | st.floats(0, 0.99),
                "betas": st.tuples(st.floats(0, 0.99), st.floats(0, 0.99)),
                "max_grad_norm": st.none() | _POSITIVE,
            },
        ),
        "evaluate": st.none() | st.fixed_dictionaries({"data": _DATA}, optional={"every": _COUNTS}),
        "output": st.text(),
        "seed": st.integers(0, 2**63),
    },
)


@given(_RUNS, _CODE, st.booleans())
def test_a_dumped_run_is_the_same_run(values: dict[str, Any], code: dict[str, Any], looped: bool) -> None:
    run = load({**values, ("procedure" if looped else "method"): code})
    again = load(parse(dump(resolved(run)), "config.yaml").value)
    assert again == run
    assert resolved(again) == resolved(run)


def test_the_resolved_run_holds_every_default() -> None:
    values = resolved(load({**LEAST, "rewards": [{"a": 0.5}], "method": {"path": "x", "a": {"b": [1, 2]}}}))
    assert values["train"]["tokens_per_device"] == 16384
    assert values["method"] == {"path": "x", "a.b": [1, 2]}
    unset = dict.fromkeys(("signature", "read_after", "read_before"))
    assert values["rewards"] == [{"path": "a", "weight": 0.5, **unset, "transform": []}]
    assert values["data"]["path"] == "d.jsonl"
    assert values["output"] == "runs"
    assert values.keys() == RunFile.model_fields.keys()
    assert values["model"].keys() == Model.model_fields.keys()
