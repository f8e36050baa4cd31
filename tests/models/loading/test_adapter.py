"""Adapters as models, written by us and by peft."""

import hashlib
import json
import re
import shutil
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import torch
from huggingface_hub import constants
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM

from posttrain.errors import ModelError
from posttrain.machine import hub
from posttrain.models.adapters import adapted
from posttrain.models.loading.adapter import adapter_in
from posttrain.models.loading.load import load
from posttrain.models.loading.save import save
from posttrain.models.loading.tiny import tiny_model
from posttrain.models.loading.tokenizer import load_reader
from posttrain.models.lora import add_lora
from tests.models.test_effective_weight import trained
from tests.models.test_lora import outputs


@pytest.fixture
def base(tmp_path):
    save(*tiny_model(), tmp_path / "base")
    return tmp_path / "base"


@pytest.mark.parametrize("of", ["tiny", "a folder"])
def test_our_adapter_is_the_merged_model(tmp_path, base, of):
    loaded = load("tiny" if of == "tiny" else str(base))
    add_lora(loaded.network, 2, 4, ["q_proj", "lm_head"], modules_to_save=["norm"])
    save(trained(loaded.network), loaded.tokenizer, tmp_path / "new")
    again = load(str(tmp_path / "new" / "adapter"))
    assert not adapted(again.network)
    assert again.tokenizer.get_vocab() == loaded.tokenizer.get_vocab()
    torch.testing.assert_close(outputs(again.network), outputs(loaded.network), rtol=0, atol=1e-3)
    save(again.network, again.tokenizer, tmp_path / "merged")
    expected = outputs(load(str(tmp_path / "new")).network)
    torch.testing.assert_close(outputs(load(str(tmp_path / "merged")).network), expected, rtol=0, atol=1e-3)


def test_an_adapter_of_peft_with_more_tokens_than_its_base(tmp_path, base):
    plain, tokenizer = AutoModelForCausalLM.from_pretrained(base), load(str(base)).tokenizer
    tokenizer.add_tokens(["<new>"])
    plain.resize_token_embeddings(len(tokenizer))
    model = get_peft_model(
        plain, LoraConfig(r=2, target_modules=["q_proj"], modules_to_save=["embed_tokens", "lm_head"])
    )
    with torch.no_grad():
        for name, p in model.named_parameters():
            if p.requires_grad:
                p.add_(0.05)
    model.save_pretrained(tmp_path / "adapter")
    tokenizer.save_pretrained(tmp_path / "adapter")
    loaded = load(str(tmp_path / "adapter"))
    assert loaded.network.vocab_size == len(tokenizer) == len(loaded.tokenizer)
    tokens = torch.tensor([[70, 71, len(tokenizer) - 1]])
    from posttrain.models.attention import Packed

    ours = loaded.network.logits(loaded.network.states(tokens[0], Packed([3])))
    torch.testing.assert_close(ours, model.eval()(tokens).logits[0], rtol=0, atol=1e-4)


def test_what_is_missing_is_named(tmp_path, base):
    (tmp_path / "adapter_config.json").write_text("{}")
    with pytest.raises(ModelError, match="names no base model; write it there as base_model_name_or_path"):
        load(str(tmp_path))
    (tmp_path / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": "./nowhere"}))
    with pytest.raises(ModelError, match="holds no adapter_model.safetensors"):
        load(str(tmp_path))
    (tmp_path / "adapter_model.safetensors").write_bytes(b"")
    with pytest.raises(ModelError, match="its base model: no model folder ./nowhere"):
        load(str(tmp_path))
    (tmp_path / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": str(base)}))
    with pytest.raises(ModelError, match="the adapter does not fit its base model"):
        load(str(tmp_path))
    (tmp_path / "adapter_config.json").write_text("{")
    with pytest.raises(ModelError, match="cannot be read"):
        load(str(tmp_path))


def test_a_whole_model_is_no_adapter(base):
    (base / "adapter_config.json").write_text("{}")
    assert adapter_in(base) is None


class Hub(BaseHTTPRequestHandler):
    """Serves folders as repositories, as far as the hub's client asks: ROOT/owner/name."""

    root = None

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        if (asked := re.fullmatch(r"/api/models/([^/]+/[^/]+)/(revision|tree)/.*", self.path)) is not None:
            names = [f.name for f in (self.root / asked[1]).glob("*")]
            tree = [{"type": "file", "path": name, "size": 1, "oid": name} for name in names]
            about = {"id": asked[1], "sha": "a" * 40, "siblings": [{"rfilename": name} for name in names]}
            return self.reply(json.dumps(tree if asked[2] == "tree" else about))
        if (asked := re.fullmatch(r"/([^/]+/[^/]+)/resolve/\w+/(.+)", self.path)) is not None:
            file = self.root / asked[1] / asked[2]
            return self.reply(file.read_bytes() if file.is_file() else None)
        return self.reply("{}")

    def reply(self, body):
        body = body.encode() if isinstance(body, str) else body
        self.send_response(404 if body is None else 200)
        if body is None:
            self.send_header("X-Error-Code", "EntryNotFound")
        for name, value in (("ETag", hashlib.sha1(body or b"").hexdigest()), ("X-Repo-Commit", "a" * 40)):
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        if self.command == "GET" and body:
            self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def served(tmp_path, monkeypatch):
    monkeypatch.setattr(Hub, "root", tmp_path / "hub")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    address = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr(constants, "ENDPOINT", address)
    template = f"{address}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    yield tmp_path / "hub"
    server.shutdown()
    server.server_close()


def test_an_adapter_of_the_hub_is_its_base_with_the_adapter_merged(tmp_path, base, served, monkeypatch):
    loaded = load(str(base))
    add_lora(loaded.network, 2, 4, ["q_proj"])
    save(trained(loaded.network), loaded.tokenizer, tmp_path / "new")
    shutil.copytree(tmp_path / "new" / "adapter", served / "owner" / "adapter")
    expected = outputs(load(str(tmp_path / "new")).network)
    found = load("owner/adapter")
    assert (found.name, found.network.trunk.name_or_path) == ("owner/adapter", "owner/adapter")
    torch.testing.assert_close(outputs(found.network), expected, rtol=0, atol=1e-3)
    assert load_reader("owner/adapter").context == found.network.context
    shutil.rmtree(served / "owner")
    monkeypatch.setattr(hub, "reachable", lambda: False)  # from the cache now
    torch.testing.assert_close(outputs(load("owner/adapter").network), expected, rtol=0, atol=1e-3)
