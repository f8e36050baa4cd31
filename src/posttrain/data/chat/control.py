"""Control tokens, such as <|im_end|>. They come from the chat template alone: data that spells one out stays text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from posttrain.errors import DataError, ModelError

# Characters that stand for control tokens in data while the template is rendered. They lie in Unicode's last private
# plane, and no template changes them: they are no letters, no white space, and nothing to escape.
FIRST, LAST = 0x100000, 0x10FFFD
STAND_IN = re.compile(f"([{chr(FIRST)}-{chr(LAST)}])")


class ControlTokens:
    """The special tokens of a tokenizer, and encoding that keeps them apart from text that looks like them."""

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer
        special = {t.content for t in tokenizer.added_tokens_decoder.values() if t.special}
        # What pads may be any word: nobody writes or reads it.
        named = {x for name, x in tokenizer.special_tokens_map.items() if name != "pad_token" and isinstance(x, str)}
        self.tokens = sorted(special | named, key=lambda t: (-len(t), t))
        self._stand_in = {token: chr(FIRST + i) for i, token in enumerate(self.tokens)}
        self._meaning = {character: token for token, character in self._stand_in.items()}
        self._pattern = re.compile("|".join(map(re.escape, self.tokens)) or "(?!)")

    def found_in(self, text: str) -> list[str]:
        """The control tokens that the text spells out."""
        return self._pattern.findall(text)

    def hide(self, value: Any) -> Any:
        """The same text, list or mapping with stand-ins for all control tokens in it."""
        if isinstance(value, str):
            if taken := STAND_IN.search(value):
                raise DataError(f"the text contains the private character U+{ord(taken.group()):X}; remove it")
            return self._pattern.sub(lambda found: self._stand_in[found.group()], value)
        if isinstance(value, Mapping):
            return {k: self.hide(v) for k, v in value.items()}
        if isinstance(value, list | tuple):
            return [self.hide(v) for v in value]
        return value

    def encode(self, text: str) -> list[int]:
        """Token ids. Control tokens count as such; what `hide` replaced is spelled out in ordinary tokens."""
        ids: list[int] = []
        for piece in STAND_IN.split(text):
            if piece in self._meaning:
                ids += self._spelled(self._meaning[piece])
            elif piece:
                ids += self.tokenizer(piece, add_special_tokens=False, verbose=False)["input_ids"]
        return ids

    def _spelled(self, token: str) -> list[int]:
        ids: list[int] = self.tokenizer(token, add_special_tokens=False, split_special_tokens=True)["input_ids"]
        if self.tokenizer.convert_tokens_to_ids(token) in ids:
            raise ModelError(f"the tokenizer cannot write {token!r} as text; remove it from the data")
        return ids
