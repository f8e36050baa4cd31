import huggingface_hub
import pytest
from huggingface_hub.errors import HFValidationError

from posttrain.errors import ModelError
from posttrain.machine import hub
from posttrain.models.loading.push import push


class Api:
    calls = []
    error = None

    def create_repo(self, repo_id, **settings):
        if self.error:
            raise self.error
        self.calls.append((repo_id, settings))

    def upload_folder(self, **settings):
        self.calls.append(settings)


@pytest.fixture
def api(monkeypatch):
    monkeypatch.setattr(huggingface_hub, "HfApi", Api)
    monkeypatch.setattr(hub, "reachable", lambda: True)
    monkeypatch.setattr(Api, "calls", [])
    return Api


def test_a_folder_is_uploaded_to_a_private_repository(api, tmp_path):
    assert push(tmp_path, "me/model").endswith("/me/model")
    assert api.calls[0] == ("me/model", {"private": True, "exist_ok": True})
    assert (api.calls[1]["repo_id"], api.calls[1]["folder_path"]) == ("me/model", tmp_path)
    push(tmp_path, "me/model", public=True)
    assert api.calls[2][1]["private"] is False


def test_what_the_hub_refuses_is_one_line(api, tmp_path, monkeypatch):
    monkeypatch.setattr(Api, "error", HFValidationError("bad name\nmore"))
    with pytest.raises(ModelError, match=r"--push me/model: bad name; log in with `hf auth login`, or set HF_TOKEN"):
        push(tmp_path, "me/model")
    with pytest.raises(ModelError, match="expected owner/name"):
        push(tmp_path, "model")
    monkeypatch.setattr(hub, "reachable", lambda: False)
    with pytest.raises(ModelError, match="cannot be reached"):
        push(tmp_path, "me/model")
    assert not api.calls
