"""Reward models that transformers opens, and those of transformers."""

import json

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, AutoTokenizer

from posttrain.backends.local.learner import LocalLearner
from posttrain.core.rows import Rows
from posttrain.models.loading.classifier import padded_apart
from posttrain.models.loading.load import as_network, load
from posttrain.models.loading.save import save
from posttrain.models.loading.tiny import byte_tokenizer, tiny_model
from posttrain.models.lora import add_lora
from posttrain.models.padded import Padded
from tests.models.tiny import trunk

TEXTS = [[70, 71, 72, 258], [80, 258], [90, 91, 92, 93, 94, 258]]  # ending in the end token


def scores(network):
    lengths = torch.tensor([len(t) for t in TEXTS])
    index = torch.repeat_interleave(torch.arange(len(TEXTS)), lengths)
    rows = Rows(index, torch.ones(len(index), dtype=torch.bool), len(TEXTS))
    with torch.no_grad():
        return network.outputs(torch.tensor(sum(TEXTS, [])), rows, ["score"])["score"].float()


def scores_of_transformers(folder, side="right"):
    model, info = AutoModelForSequenceClassification.from_pretrained(
        folder, dtype=torch.float32, output_loading_info=True
    )
    assert not info["missing_keys"]
    tokenizer = AutoTokenizer.from_pretrained(folder, padding_side=side)
    padded = tokenizer.pad({"input_ids": TEXTS}, return_tensors="pt")
    with torch.no_grad():
        logits = model.eval()(**padded).logits
    return logits[:, 0] if logits.shape[1] == 1 else logits


FAMILIES = [("Llama", 1), ("Mistral", 3), ("GPT2", 1), ("Gemma2", 3)]


@pytest.mark.fault("M5")
@pytest.mark.parametrize(("architecture", "size"), FAMILIES)
def test_transformers_opens_a_reward_model_with_the_same_scores(tmp_path, architecture, size):
    tokenizer = byte_tokenizer()
    network = as_network(trunk(architecture, vocab_size=len(tokenizer)).float(), "model")
    network.add_head("score", seed=1, size=size)
    save(network, tokenizer, tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["architectures"] == [f"{architecture}ForSequenceClassification"]
    for side in ("right", "left")[: 1 if architecture == "GPT2" else 2]:  # which counts padding as positions
        torch.testing.assert_close(scores_of_transformers(tmp_path, side), scores(network), rtol=0, atol=1e-5)
    again = load(str(tmp_path)).network
    assert again.writes
    assert torch.equal(scores(again), scores(network))
    _, info = AutoModelForCausalLM.from_pretrained(tmp_path, output_loading_info=True)
    assert not info["missing_keys"]


def test_what_was_opened_is_saved_so_again_and_the_network_keeps_its_config(tmp_path):
    network, tokenizer = tiny_model()
    network.add_head("score", seed=1)
    save(network, tokenizer, tmp_path / "a")
    own = network.trunk.config.to_dict()
    assert (own["architectures"], own["pad_token_id"], own["id2label"][1]) == (["LlamaForCausalLM"], 256, "LABEL_1")
    again = load(str(tmp_path / "a"))
    save(again.network, again.tokenizer, tmp_path / "b")
    assert torch.equal(scores_of_transformers(tmp_path / "a"), scores_of_transformers(tmp_path / "b"))
    assert scores_of_transformers(tmp_path / "a").shape == (3,)


def test_the_config_names_the_dtype_of_the_weights(tmp_path):
    network, tokenizer = tiny_model()
    network.trunk.bfloat16()
    network.add_head("score", seed=1)
    save(network, tokenizer, tmp_path)
    assert json.loads((tmp_path / "config.json").read_text())["dtype"] == "bfloat16"
    again = load(str(tmp_path), dtype="bfloat16").network
    assert torch.equal(again.heads["score"].weight, network.heads["score"].weight)  # in float32


def test_adapters_are_merged_into_a_reward_model_too(tmp_path):
    network, tokenizer = tiny_model()
    add_lora(network, 2, 4, ["q_proj", "embed_tokens"])
    network.add_head("score", seed=1)
    with torch.no_grad():
        for p in network.trunk.parameters():
            if p.requires_grad:
                p.add_(0.1)
    save(network, tokenizer, tmp_path)
    torch.testing.assert_close(scores_of_transformers(tmp_path), scores(network), rtol=0, atol=1e-4)


def test_a_constant_that_a_classifier_cannot_add_is_kept_beside_it(tmp_path, caplog):
    network, tokenizer = tiny_model()
    network.add_head("score", seed=1)
    with torch.no_grad():
        network.heads["score"].bias.fill_(2.0)
    LocalLearner({"reward": network}, tokenizer=tokenizer).save("reward", tmp_path)
    assert "the score head adds 2, which a sequence classifier of transformers cannot" in caplog.text
    torch.testing.assert_close(scores_of_transformers(tmp_path) + 2, scores(network), rtol=0, atol=1e-5)
    assert torch.equal(scores(load(str(tmp_path)).network), scores(network))


def test_preferences_leave_the_constant_at_0():
    network, _ = tiny_model()
    network.add_head("score", seed=1)
    states = torch.randn(200, 96, generator=torch.Generator().manual_seed(0))
    chosen, rejected = network.head("score", states).split(100)
    torch.nn.functional.softplus(rejected - chosen).sum().backward()
    assert network.heads["score"].bias.grad.item() == 0
    assert network.heads["score"].weight.grad.abs().sum() > 0


@pytest.mark.fault("C13")
def test_a_reward_model_is_written_in_the_background_without_building_one(tmp_path, monkeypatch):
    """Building one changes torch's default dtype for every thread, and the random numbers that training draws."""
    tokenizer = byte_tokenizer()
    network = as_network(trunk("Llama", vocab_size=len(tokenizer)).double(), "model")
    network.add_head("score", seed=1)
    learner = LocalLearner({"reward": network}, tokenizer=tokenizer)
    snapshot = learner.snapshot("reward")
    monkeypatch.setattr(torch, "set_default_dtype", lambda dtype: pytest.fail(f"the default dtype became {dtype}"))
    snapshot.write(tmp_path)
    assert "ForSequenceClassification" in (tmp_path / "config.json").read_text()


@pytest.mark.parametrize("heads", [(), ("value",), ("value", "score")])
def test_models_with_other_heads_stay_language_models(tmp_path, heads):
    network, tokenizer = tiny_model()
    for name in heads:
        network.add_head(name, seed=1)
    save(network, tokenizer, tmp_path)
    assert json.loads((tmp_path / "config.json").read_text())["architectures"] == ["LlamaForCausalLM"]


def test_a_family_without_a_classifier_stays_a_language_model(tmp_path):
    network = Padded(trunk("Mamba", vocab_size=263).float())
    network.add_head("score", seed=1)
    save(network, byte_tokenizer(), tmp_path)
    assert json.loads((tmp_path / "config.json").read_text())["architectures"] == ["MambaForCausalLM"]
    assert (tmp_path / "score_head.safetensors").exists()


def test_padding_is_a_token_that_no_answer_ends_with():
    tokenizer = byte_tokenizer()
    assert padded_apart(tokenizer) is tokenizer
    for own in ("<|end|>", "<|user|>", None):
        tokenizer.pad_token = own
        assert padded_apart(tokenizer).pad_token == "<|pad|>"
        assert tokenizer.pad_token == own
    tokenizer.chat_template = "{{ undefined.nothing }}"
    assert padded_apart(tokenizer).pad_token == "<|pad|>"


def test_without_such_a_token_there_is_no_padding(tmp_path):
    network, tokenizer = tiny_model()
    tokenizer.chat_template = "<|pad|><|user|><|system|><|tool|><|assistant|><|end|>"
    network.add_head("score", seed=1)
    save(network, tokenizer, tmp_path)
    assert json.loads((tmp_path / "config.json").read_text()).get("pad_token_id") is None
    with pytest.raises(ValueError, match="pad"):
        scores_of_transformers(tmp_path)
