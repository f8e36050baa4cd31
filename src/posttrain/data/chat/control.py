"""Special tokens. Those that mark turns only the chat template writes; all others, such as <think>, data may write."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from posttrain.errors import DataError, ModelError

# Characters that replace the marks of turns in the data while the template is rendered. They lie in Unicode's last
# private plane, and no template changes them: they are neither letters nor white space and need no escaping.
FIRST, LAST = 0x100000, 0x10FFFD
PLACEHOLDER = re.compile(f"([{chr(FIRST)}-{chr(LAST)}])")


@dataclass(frozen=True)
class Tokens:
    """Token ids of a text, and for each where its characters begin and end in it."""

    ids: list[int]
    starts: list[int]
    ends: list[int]

    def within(self, start: int, end: int) -> range:
        """Return the positions of the tokens with characters in [start, end), one that straddles an end included."""
        return range(bisect_right(self.ends, start), bisect_left(self.starts, end))

    def __add__(self, other: Tokens) -> Tokens:
        return Tokens(self.ids + other.ids, self.starts + other.starts, self.ends + other.ends)


class ControlTokens:
    """The special tokens of a tokenizer, and an encoding that distinguishes them from text that looks like them.

    `ends`: those that begin and end texts, and those of the ids `stop`, which end answers.
    """

    def __init__(self, tokenizer: Any, stop: Collection[int] = ()) -> None:
        self.tokenizer = tokenizer
        special = {t.content for t in tokenizer.added_tokens_decoder.values() if t.special}
        # The padding token may be an ordinary word of the vocabulary; it is never written or read.
        named = {x for name, x in tokenizer.special_tokens_map.items() if name != "pad_token" and isinstance(x, str)}
        self.tokens = sorted(special | named, key=lambda t: (-len(t), t))
        ends = {tokenizer.bos_token, tokenizer.eos_token, *tokenizer.convert_ids_to_tokens(sorted(stop))}
        self.ends = frozenset(ends & set(self.tokens))
        self._placeholder = {token: chr(FIRST + i) for i, token in enumerate(self.tokens)}
        self._token = {character: token for token, character in self._placeholder.items()}
        self._pattern = re.compile("|".join(map(re.escape, self.tokens)) or "(?!)")

    def found_in(self, text: str) -> list[str]:
        """Return the special tokens that the text spells out, in order."""
        return self._pattern.findall(text)

    def found_anywhere(self, value: Any) -> set[str]:
        """Return the special tokens that a text, or the texts of a list or mapping, spell out."""
        return {token for text in _texts(value) for token in self._pattern.findall(text)}

    def hide(self, value: Any, marks: Collection[str]) -> Any:
        """Return the same text, list or mapping with a placeholder for each of the `marks` in it."""
        if isinstance(value, str):
            if private := PLACEHOLDER.search(value):
                raise DataError(f"the text contains the private character U+{ord(private.group()):X}; remove it")
            return self._pattern.sub(lambda m: self._placeholder[m[0]] if m[0] in marks else m[0], value)
        if isinstance(value, Mapping):
            return {k: self.hide(v, marks) for k, v in value.items()}
        if isinstance(value, list | tuple):
            return [self.hide(v, marks) for v in value]
        return value

    def shown(self, text: str) -> str:
        """Return the text with the tokens that `hide` replaced."""
        return PLACEHOLDER.sub(lambda m: self._token.get(m[0], m[0]), text)

    def encode(self, text: str) -> Tokens:
        """Tokenise a text once. Special tokens keep their own id; those that `hide` replaced become ordinary tokens."""
        if not PLACEHOLDER.search(text):
            return self._tokenised(text)
        encoded = Tokens([], [], [])
        for start, piece, hidden in self._pieces(text):
            part = self._spelled(piece) if hidden else self._tokenised(piece)
            encoded += Tokens(part.ids, [start + x for x in part.starts], [start + x for x in part.ends])
        return encoded

    def _pieces(self, text: str) -> Iterator[tuple[int, str, bool]]:
        """Cut out each stretch between two special tokens that has hidden ones; the tokenizer cuts there too."""
        edges = [0, *(edge for m in self._pattern.finditer(text) for edge in m.span()), len(text)]
        stretches = zip(edges[::2], edges[1::2], strict=True)
        done = 0
        for start, end in stretches:
            if PLACEHOLDER.search(text, start, end):
                if done < start:
                    yield done, text[done:start], False
                yield start, text[start:end], True
                done = end
        if done < len(text):
            yield done, text[done:], False

    def _tokenised(self, text: str) -> Tokens:
        if not self.tokenizer.is_fast:
            return self._by_prefixes(text)
        encoded = self.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
        offsets = encoded["offset_mapping"]
        # A character of several tokens, or white space that a token leaves out, must not make the order uneven.
        ends = list(accumulate((end for _, end in offsets), max))
        starts = list(accumulate((start for start, _ in reversed(offsets)), min))[::-1]
        return Tokens(list(encoded["input_ids"]), starts, ends)

    def _by_prefixes(self, text: str) -> Tokens:
        """Find the characters of each token with a tokenizer that does not tell: by the text that it decodes to."""
        ids = list(self.tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])
        decode = self.tokenizer.decode
        ends = [min(len(decode(ids[: i + 1], clean_up_tokenization_spaces=False)), len(text)) for i in range(len(ids))]
        return Tokens(ids, [0, *ends[:-1]] if ids else [], ends)

    def _spelled(self, text: str) -> Tokens:
        """Tokenise text with hidden tokens: each of their letters counts as at the place of the placeholder."""
        places = [i for i, c in enumerate(text) for _ in self._token.get(c, c)]
        spelled = self.shown(text)
        encoded = self.tokenizer(
            spelled,
            add_special_tokens=False,
            split_special_tokens=True,
            return_offsets_mapping=self.tokenizer.is_fast,
            verbose=False,
        )
        ids = list(encoded["input_ids"])
        for token in {self._token[c] for c in PLACEHOLDER.findall(text)}:
            if self.tokenizer.convert_tokens_to_ids(token) in ids:
                raise ModelError(f"the tokenizer cannot write {token!r} as text; remove it from the data")
        offsets = encoded.get("offset_mapping") or [(0, len(spelled))] * len(ids)
        ends = [places[end - 1] + 1 if end else 0 for _, end in offsets]
        return Tokens(ids, [places[min(start, len(places) - 1)] for start, _ in offsets], ends)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)
