import json

import pytest
import torch
from transformers import AutoModelForCausalLM

from posttrain.models.loading.load import load
from posttrain.models.loading.save import save
from posttrain.models.loading.stop import set_stop_tokens, stop_tokens
from posttrain.models.loading.tiny import tiny_model


def generation_config(folder):
    return json.loads((folder / "generation_config.json").read_text())


@pytest.mark.fault("M1")
def test_the_saved_model_names_every_token_that_stops_and_generate_stops_there(tmp_path):
    network, tokenizer = tiny_model()
    ids = torch.tensor([[70, 71, 72]])
    save(network, tokenizer, tmp_path / "before")
    plain = AutoModelForCausalLM.from_pretrained(tmp_path / "before")
    written = plain.generate(ids, do_sample=False, max_new_tokens=8)[0, 3:].tolist()
    end = next(token for token in written[2:] if token not in written[:2])
    set_stop_tokens(network, {end, tokenizer.eos_token_id})
    save(network, tokenizer, tmp_path / "after")
    assert generation_config(tmp_path / "after")["eos_token_id"] == [tokenizer.eos_token_id, end]
    assert load(str(tmp_path / "after")).stop == {tokenizer.eos_token_id, end}
    plain = AutoModelForCausalLM.from_pretrained(tmp_path / "after")
    shorter = plain.generate(ids, do_sample=False, max_new_tokens=8)[0, 3:].tolist()
    assert shorter == written[: written.index(end) + 1]


def test_only_what_is_new_changes_the_file(tmp_path):
    network, tokenizer = tiny_model()
    network.trunk.generation_config.update(temperature=0.7, do_sample=True, eos_token_id=[9, 5])
    before = network.trunk.generation_config.to_dict()
    set_stop_tokens(network, {5, 9})
    assert network.trunk.generation_config.to_dict() == before
    set_stop_tokens(network, {5, 9, 3, 7})
    save(network, tokenizer, tmp_path)
    saved = generation_config(tmp_path)
    assert (saved["eos_token_id"], saved["temperature"], saved["do_sample"]) == ([9, 5, 3, 7], 0.7, True)


@pytest.mark.parametrize(("named", "expected"), [(None, 4), (4, 4)])
def test_one_token_is_a_number(named, expected):
    network, _ = tiny_model()
    network.trunk.generation_config.eos_token_id = named
    set_stop_tokens(network, {4})
    assert network.trunk.generation_config.eos_token_id == expected


def test_a_model_without_a_generation_config_gets_one():
    network, tokenizer = tiny_model()
    network.trunk.generation_config = None
    assert stop_tokens(network, tokenizer) == {tokenizer.eos_token_id}
    set_stop_tokens(network, {3})
    assert network.trunk.generation_config.eos_token_id == [tokenizer.eos_token_id, 3]
