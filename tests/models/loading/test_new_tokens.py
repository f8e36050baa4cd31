import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from posttrain.errors import ModelError
from posttrain.models.loading.load import as_network, load
from posttrain.models.loading.new_tokens import add_tokens
from posttrain.models.loading.save import save
from posttrain.models.loading.tiny import byte_tokenizer, tiny_model
from tests.models.test_lora import outputs
from tests.models.tiny import trunk


@pytest.mark.parametrize("architecture", ["Llama", "Mistral", "GPT2"])
def test_new_tokens_start_as_the_mean_of_the_others(tmp_path, architecture):
    tokenizer = byte_tokenizer()
    size = len(tokenizer)
    network = as_network(trunk(architecture, vocab_size=size).float(), "model")
    before = outputs(network)
    assert add_tokens(network, tokenizer, ["<think>", "</think>"]) == [size, size + 1]
    assert network.vocab_size == len(tokenizer) == size + 2
    for layer in (network.trunk.get_input_embeddings(), network.trunk.get_output_embeddings()):
        for row in layer.weight[size:]:
            torch.testing.assert_close(row, layer.weight[:size].mean(0))
    torch.testing.assert_close(outputs(network)[:, :size], before, rtol=0, atol=1e-4)
    save(network, tokenizer, tmp_path)
    again = load(str(tmp_path))
    assert again.tokenizer.encode("<think>a</think>", add_special_tokens=False)[::2] == [size, size + 1]
    torch.testing.assert_close(outputs(again.network), outputs(network), rtol=0, atol=1e-4)
    assert AutoModelForCausalLM.from_pretrained(tmp_path).config.get_text_config().vocab_size == size + 2


def test_rows_that_pad_the_matrix_are_used_first():
    tokenizer = byte_tokenizer()
    size = len(tokenizer)
    network = as_network(trunk("Llama", vocab_size=size + 9).float(), "model")
    network.vocab_size = size
    add_tokens(network, tokenizer, ["<a>"])
    weight = network.trunk.get_input_embeddings().weight
    assert len(weight) == size + 9
    assert network.vocab_size == size + 1
    torch.testing.assert_close(weight[size], weight[:size].mean(0))


def test_special_tokens_are_not_shown_and_known_ones_are_named(caplog):
    network, tokenizer = tiny_model()
    assert add_tokens(network, tokenizer, ["<tool>", "<|user|>", "<tool>"], special=True) == [263]
    assert "'<|user|>' are tokens of this model already" in caplog.text
    assert tokenizer.decode([70, 263], skip_special_tokens=True) == tokenizer.decode([70])
    add_tokens(network, tokenizer, ["<plain>"])
    assert "<plain>" in tokenizer.decode([264], skip_special_tokens=True)


def test_a_tokenizer_larger_than_its_model_needs_leave(tmp_path):
    network, tokenizer = tiny_model()
    save(network, tokenizer, tmp_path)
    larger = AutoTokenizer.from_pretrained(tmp_path)
    larger.add_tokens(["<a>", "<b>"])
    larger.save_pretrained(tmp_path)
    with pytest.raises(ModelError, match="has token 264, but the model only 263 embeddings; set model.resize: true"):
        load(str(tmp_path))
    resized = load(str(tmp_path), resize=True).network
    assert resized.vocab_size == 265
    weight = resized.trunk.get_input_embeddings().weight
    torch.testing.assert_close(weight[264], network.trunk.get_input_embeddings().weight.mean(0))
    assert resized.unembedding[0] is weight
