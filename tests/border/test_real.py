"""A real tokenizer, with 49 152 tokens and the template it ships with: that of SmolLM2."""

from __future__ import annotations

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
