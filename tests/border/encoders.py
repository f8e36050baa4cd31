"""Encoders of the families, which share one process that renders: to start one takes longer than most tests."""

from __future__ import annotations

from posttrain.data.chat.encode import Encoder
from posttrain.data.chat.renderer import Renderer
from tests.border.families import BY_NAME, Family
from tests.border.tokenizers import tokenizer_of

RENDERER = Renderer(seconds=60.0)  # closed by conftest.py


def encoder_of(
    family: Family | str, kind: str = "bytes", *, special: bool = False, template: str | None = None
) -> Encoder:
    """Make an encoder; `special`: whether `<think>` and its like are special tokens."""
    family = BY_NAME[family] if isinstance(family, str) else family
    return Encoder(tokenizer_of(family, kind, special=special), 100_000, template, renderer=RENDERER)
