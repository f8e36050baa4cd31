"""Control tokens such as <|im_end|>. Only the chat template writes them: data that spells one out stays text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from posttrain.errors import DataError, ModelError

# Characters that replace control tokens in the data while the template is rendered. They lie in Unicode's last private
# plane, and no template changes them: they are neither letters nor white space and need no escaping.
FIRST, LAST = 0x100000, 0x10FFFD
PLACEHOLDER = re.compile(f"([{chr(FIRST)}-{chr(LAST)}])")


class ControlTokens:
    """The special tokens of a tokenizer, and an encoding that distinguishes them from text that looks like them."""

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer
        special = {t.content for t in tokenizer.added_tokens_decoder.values() if t.special}
        # The padding token may be an ordinary word of the vocabulary; it is never written or read.
        named = {x for name, x in tokenizer.special_tokens_map.items() if name != "pad_token" and isinstance(x, str)}
        self.tokens = sorted(special | named, key=lambda t: (-len(t), t))
        self._placeholder = {token: chr(FIRST + i) for i, token in enumerate(self.tokens)}
        self._token = {character: token for token, character in self._placeholder.items()}
        self._pattern = re.compile("|".join(map(re.escape, self.tokens)) or "(?!)")

    def found_in(self, text: str) -> list[str]:
        """Return the control tokens that the text spells out."""
        return self._pattern.findall(text)

    def hide(self, value: Any) -> Any:
        """Return the same text, list or mapping with a placeholder for every control token in it."""
        if isinstance(value, str):
            if private := PLACEHOLDER.search(value):
                raise DataError(f"the text contains the private character U+{ord(private.group()):X}; remove it")
            return self._pattern.sub(lambda match: self._placeholder[match.group()], value)
        if isinstance(value, Mapping):
            return {k: self.hide(v) for k, v in value.items()}
        if isinstance(value, list | tuple):
            return [self.hide(v) for v in value]
        return value

    def encode(self, text: str) -> list[int]:
        """Return token ids. Control tokens keep their own id; those that `hide` replaced become ordinary tokens."""
        ids: list[int] = []
        for piece in PLACEHOLDER.split(text):
            if piece in self._token:
                ids += self._as_ordinary_tokens(self._token[piece])
            elif piece:
                ids += self.tokenizer(piece, add_special_tokens=False, verbose=False)["input_ids"]
        return ids

    def _as_ordinary_tokens(self, token: str) -> list[int]:
        ids: list[int] = self.tokenizer(token, add_special_tokens=False, split_special_tokens=True)["input_ids"]
        if self.tokenizer.convert_tokens_to_ids(token) in ids:
            raise ModelError(f"the tokenizer cannot write {token!r} as text; remove it from the data")
        return ids
