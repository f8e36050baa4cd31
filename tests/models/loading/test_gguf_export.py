"""GGUF files that are written and read back."""

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig, PreTrainedTokenizerFast

from posttrain.errors import MissingExtraError, ModelError
from posttrain.models.loading.gguf_export import write_gguf
from posttrain.models.loading.load import load
from posttrain.models.loading.stop import set_stop_tokens
from posttrain.models.loading.tiny import tiny_model
from posttrain.models.network import Network
from tests.models.test_lora import outputs
from tests.models.tiny import trunk

pytest.importorskip("gguf")

WORDS = ["the capital of France is Paris", "2+2=4, isn't it?", "hello world hello"] * 3


def bpe():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=280, initial_alphabet=alphabet, special_tokens=["<|end|>", "<|pad|>"])
    tokenizer.train_from_iterator(WORDS, trainer)
    wrapped = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|end|>", pad_token="<|pad|>")
    wrapped.add_tokens(["<think>"])
    wrapped.chat_template = "{% for m in messages %}{{ m.content }}<|end|>{% endfor %}"
    return wrapped


def model(architecture, tokenizer, **settings):
    settings = {"layer_types": None, "sliding_window": None, "use_sliding_window": False} | settings
    if architecture == "Qwen3":
        settings["head_dim"] = 128  # transformers takes no other from a file
    if architecture == "Llama":
        settings = {k: v for k, v in settings.items() if "sliding" not in k and k != "layer_types"}
    return Network(trunk(architecture, vocab_size=len(tokenizer) + 3, hidden_size=32, **settings).float())


@pytest.mark.parametrize("architecture", ["Llama", "Qwen2", "Qwen3"])
def test_what_is_written_is_read_with_the_same_logits_and_tokens(tmp_path, monkeypatch, architecture):
    monkeypatch.setenv("POSTTRAIN_CACHE", str(tmp_path / "cache"))
    tokenizer = bpe()
    network = model(architecture, tokenizer)
    write_gguf(network, tokenizer, tmp_path / "m.gguf", "float32", "m")
    again = load(str(tmp_path / "m.gguf"))
    expected = outputs(network)[:, : again.network.vocab_size]
    torch.testing.assert_close(outputs(again.network), expected, rtol=1e-4, atol=1e-4)
    for text in (*WORDS[:3], "<think>Paris<|end|>"):
        assert again.tokenizer.encode(text) == tokenizer.encode(text)
    assert again.tokenizer.eos_token_id == tokenizer.eos_token_id
    assert again.tokenizer.chat_template == tokenizer.chat_template


def test_plain_transformers_reads_it_too_in_half_precision(tmp_path, caplog):
    network, tokenizer = tiny_model()
    network.add_head("score")
    set_stop_tokens(network, {5})
    write_gguf(network, tokenizer, tmp_path / "m.gguf", "float16", "m")
    assert "GGUF has no place for heads, so score is left out" in caplog.text
    settings = {"gguf_file": "m.gguf", "quantization_config": GgufConfig(dequantize=True), "dtype": torch.float32}
    plain = AutoModelForCausalLM.from_pretrained(tmp_path, **settings)
    for name, weight in network.trunk.state_dict().items():
        torch.testing.assert_close(plain.state_dict()[name], weight, rtol=1e-3, atol=1e-4)
    read = AutoTokenizer.from_pretrained(tmp_path, gguf_file="m.gguf")
    assert read.encode("Paris<|end|>") == tokenizer.encode("Paris<|end|>")


@pytest.mark.parametrize(("dtype", "largest"), [("q8_0", 0.02), ("bfloat16", 0.005)])
def test_narrow_formats(tmp_path, monkeypatch, dtype, largest):
    monkeypatch.setenv("POSTTRAIN_CACHE", str(tmp_path / "cache"))
    network, tokenizer = tiny_model()
    write_gguf(network, tokenizer, tmp_path / "m.gguf", dtype, "m")
    read, own = load(str(tmp_path / "m.gguf")).network.unembedding[0], network.unembedding[0]
    assert 0 < (read - own).norm() / own.norm() < largest


def test_what_cannot_be_written_is_refused_with_the_reason(tmp_path, monkeypatch):
    _, tokenizer = tiny_model()
    file = tmp_path / "m.gguf"
    with pytest.raises(ModelError, match="gpt_neox models cannot be written, only llama, mistral, qwen2, qwen3"):
        write_gguf(Network(trunk("GPTNeoX", vocab_size=263)), tokenizer, file, "float32", "m")
    with pytest.raises(ModelError, match="a model with a sliding window cannot be written"):
        write_gguf(model("Mistral", tokenizer, sliding_window=3), tokenizer, file, "float32", "m")
    with pytest.raises(ModelError, match="a model with the activation gelu cannot be written"):
        write_gguf(model("Llama", tokenizer, hidden_act="gelu"), tokenizer, file, "float32", "m")
    with pytest.raises(ModelError, match="no dtype 'q4_0'.*; there are float32, float16, bfloat16, q8_0"):
        write_gguf(tiny_model()[0], tokenizer, file, "q4_0", "m")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"posttrain\[gguf\]"):
        write_gguf(tiny_model()[0], tokenizer, file, "float32", "m")
    assert not file.exists()
