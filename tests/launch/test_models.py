"""The models of a run file as its keys describe them."""

import pytest
import torch

from posttrain.config.load import load
from posttrain.errors import ConfigError
from posttrain.launch.encoding import with_defaults
from posttrain.launch.models import device_of, load_policy, longest_row
from posttrain.launch.run import open_session
from tests.data.tokenizer import byte_tokenizer
from tests.models.tiny import network

ENDS = "LoRA does not train the embeddings of the 1 new tokens; set model.lora.modules_to_save: [embed_tokens"


def policy(**model):
    return load_policy(load({"model": {"path": "tiny", **model}}, complete=False))


def test_new_tokens_are_in_tokenizer_and_model(caplog):
    loaded = policy(new_tokens=["<a>"], new_special_tokens=["<b>"])
    assert loaded.tokenizer.encode("<a><b>", add_special_tokens=False) == [263, 264]
    assert loaded.network.vocab_size == len(loaded.network.unembedding[0]) == 265
    assert not caplog.messages


@pytest.mark.parametrize(
    ("lora", "warned"),
    [({}, True), ({"targets": ["all-linear", "lm_head"]}, False), ({"modules_to_save": ["embed_tokens"]}, False)],
)
def test_new_tokens_that_adapters_do_not_train_are_named(caplog, lora, warned):
    loaded = policy(new_tokens=["<a>"], lora={"rank": 2, **lora})
    assert (ENDS in caplog.text) == warned
    assert len(loaded.network.originals) == ("modules_to_save" in lora)


def test_a_session_lets_the_saved_model_stop_where_sampling_stops():
    with open_session(load({"model": "tiny"}, complete=False), write=False) as session:
        network, tokenizer = session.run.learner.models["policy"], session.run.encoder.tokenizer
        ends = network.trunk.generation_config.eos_token_id
        assert session.run.sampler.engine.stop == ({ends} if isinstance(ends, int) else set(ends))
        assert tokenizer.eos_token_id in session.run.sampler.engine.stop


@pytest.mark.parametrize("end", ["", "\n"])
def test_a_saved_template_has_the_variables_of_the_run_where_none_are_given(end):
    tokenizer = byte_tokenizer(end + "{% for m in messages %}{{ think }} {{ style[0] }} {{ m.content }}{% endfor %}")
    source = tokenizer.chat_template
    talk, variables = [{"role": "user", "content": "a"}], {"think": False, "style": ['é"', None], "unread": 1}
    expected = tokenizer.apply_chat_template(talk, tokenize=False, **variables)
    tokenizer.chat_template = with_defaults(source, variables)
    assert tokenizer.apply_chat_template(talk, tokenize=False) == expected == end + 'False é" a'
    assert tokenizer.apply_chat_template(talk, tokenize=False, think=True) == end + 'True é" a'
    assert with_defaults(source, {"unread": 1}) == source
    assert with_defaults(None, variables) is None
    assert with_defaults({"default": source}, variables) == {"default": with_defaults(source, variables)}


def test_a_session_saves_them_and_trains_with_the_template_as_it_was(tmp_path):
    (tmp_path / "own.jinja").write_text("{{ think }}{{ eos_token }}")
    model = {"path": "tiny", "chat_template": str(tmp_path / "own.jinja"), "chat_template_kwargs": {"think": 1}}
    with open_session(load({"model": model}, complete=False), write=False) as session:
        encoder = session.run.encoder
        assert encoder.template.source == "{{ think }}{{ eos_token }}"
        assert encoder.tokenizer.chat_template == with_defaults(encoder.template.source, {"think": 1})


def test_a_row_has_no_more_positions_than_the_model(caplog):
    """GPT-2 has a vector for each position; those of Llama are computed."""
    learned, computed = network("GPT2"), network("Llama")
    for net in (learned, computed):
        assert longest_row(None, net) == longest_row(net.context, net) == net.context
        assert longest_row(5, net) == 5
    with pytest.raises(ConfigError, match=f"{learned.context + 1} is more than the {learned.context} positions of"):
        longest_row(learned.context + 1, learned)
    assert not caplog.messages
    assert longest_row(computed.context + 1, computed) == computed.context + 1
    assert f"is more than the {computed.context} positions that the model was made for" in caplog.text


def test_devices(monkeypatch):
    assert device_of("cpu") == "cpu"
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(ConfigError, match="no Metal device; use device: cpu or auto"):
        device_of("mps")
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert device_of("mps") == "mps"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert device_of("auto") == "cuda"
    assert device_of("cuda:1") == "cuda:1"
    with pytest.raises(ConfigError, match="device: cuda:2, but there are 2 CUDA devices; use cuda:0 to cuda:1"):
        device_of("cuda:2")
