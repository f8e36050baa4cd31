"""Special tokens. Those that mark turns only the chat template writes; all others, such as <think>, data may write."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import accumulate
from typing import Any

from posttrain.errors import DataError, ModelError

# Characters that replace the marks of turns in the data while the template is rendered. They lie in Unicode's last
# private plane, and no template changes them: they are neither letters nor white space and need no escaping.
FIRST, LAST = 0x100000, 0x10FFFD
PLACEHOLDER = re.compile(f"([{chr(FIRST)}-{chr(LAST)}])")


class ControlTokens:
    """The special tokens of a tokenizer, and an encoding that distinguishes them from text that looks like them.

    `ends`: those that begin and end texts, and those of the ids `stop`, which end answers. `ids`: those of all tokens.
    """

    def __init__(self, tokenizer: Any, stop: Collection[int] = ()) -> None:
        self.tokenizer = tokenizer
        special = {t.content for t in tokenizer.added_tokens_decoder.values() if t.special}
        # The padding token may be an ordinary word of the vocabulary; it is never written or read.
        named = {x for name, x in tokenizer.special_tokens_map.items() if name != "pad_token" and isinstance(x, str)}
        self.tokens = sorted(special | named, key=lambda t: (-len(t), t))
        ends = {tokenizer.bos_token, tokenizer.eos_token, *tokenizer.convert_ids_to_tokens(sorted(stop))}
        self.ends = frozenset(ends & set(self.tokens))
        self.ids = frozenset(tokenizer.convert_tokens_to_ids(self.tokens)) - {tokenizer.unk_token_id}
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

    def encode(self, text: str) -> list[int]:
        """Tokenise a text once. Special tokens keep their own id; those that `hide` replaced become ordinary tokens."""
        if not PLACEHOLDER.search(text):
            return self._tokenised(text)
        ids: list[int] = []
        for piece, hidden in self._pieces(text):
            ids += self._spelled(piece, first=not ids) if hidden else self._tokenised(piece)
        return ids

    def encode_with_places(self, text: str, edges: Sequence[int]) -> tuple[list[int], list[int | None]]:
        """Tokenise a text once; return the number of tokens before each edge, None where a token straddles it.

        A token straddles an edge where the tokens of text[:edge] are not the first ones of the text. Tokenizers cut a
        text at its special tokens, so only what stands between the last of them and the edge is tokenised again.
        """
        if not self._cuts_at_marks or PLACEHOLDER.search(text):
            whole = self.encode(text)
            read = [self.encode(text[:edge]) for edge in edges]
            return whole, [len(ids) if whole[: len(ids)] == ids else None for ids in read]
        starts = [0, *(m.start() for m in self._pattern.finditer(text) if m.start())]
        pieces = [text[a:b] for a, b in zip(starts, [*starts[1:], len(text)], strict=True)]
        numbers = [max(0, bisect_left(starts, edge) - 1) for edge in edges]  # of the piece that an edge lies in or ends
        parts = [text[starts[n] : edge] for n, edge in zip(numbers, edges, strict=True)]
        known = self._batch(list(dict.fromkeys([*pieces, *parts])))
        sizes = [0, *accumulate(len(known[piece]) for piece in pieces)]
        places = [
            sizes[n] + len(known[part]) if known[pieces[n]][: len(known[part])] == known[part] else None
            for n, part in zip(numbers, parts, strict=True)
        ]
        return [i for piece in pieces for i in known[piece]], places

    def last_cut(self, text: str) -> int:
        """Return where the last special token begins, from which on a text is tokenised for itself; else 0."""
        return max((m.start() for m in self._pattern.finditer(text)), default=0) if self._cuts_at_marks else 0

    def _batch(self, texts: list[str]) -> dict[str, list[int]]:
        ids = self.tokenizer(texts, add_special_tokens=False, verbose=False)["input_ids"]
        return dict(zip(texts, map(list, ids), strict=True))

    @cached_property
    def _cuts_at_marks(self) -> bool:
        """Whether a text is tokenised as its pieces from each special token to the next."""
        added = self.tokenizer.added_tokens_decoder.values()
        return bool(self.tokenizer.is_fast) and not any(token.lstrip for token in added)

    def continued(self, text: str) -> list[int]:
        """Tokenise a text that continues another one: without the space that SentencePiece puts before a text."""
        if self._tokenised("a") == self._tokenised("\na")[-1:]:
            return self.encode(text)
        before, whole = self.encode("\n"), self.encode("\n" + text)
        return whole[len(before) :] if whole[: len(before)] == before else self.encode(text)

    def _pieces(self, text: str) -> Iterator[tuple[str, bool]]:
        """Cut out each stretch between two special tokens that has hidden ones; the tokenizer cuts there too."""
        edges = [0, *(edge for m in self._pattern.finditer(text) for edge in m.span()), len(text)]
        done = 0
        for start, end in zip(edges[::2], edges[1::2], strict=True):
            if PLACEHOLDER.search(text, start, end):
                if done < start:
                    yield text[done:start], False
                yield text[start:end], True
                done = end
        if done < len(text):
            yield text[done:], False

    def _tokenised(self, text: str, **options: Any) -> list[int]:
        return list(self.tokenizer(text, add_special_tokens=False, verbose=False, **options)["input_ids"])

    def _spelled(self, text: str, *, first: bool) -> list[int]:
        """Tokenise text with hidden tokens letter by letter. `first`: nothing stands before it."""
        # Some tokenizers of SentencePiece put a space before the first word of a text, but of no later stretch.
        before = "" if first or not self._marks_beginnings else "\n"
        ids = self._tokenised(before + self.shown(text), split_special_tokens=True)
        for token in {self._token[c] for c in PLACEHOLDER.findall(text)}:
            if self.tokenizer.convert_tokens_to_ids(token) in ids:
                raise ModelError(f"the tokenizer cannot write {token!r} as text; remove it from the data")
        return ids[len(self._tokenised(before)) :] if before else ids

    @cached_property
    def _marks_beginnings(self) -> bool:
        """Whether a word has another token at the beginning of a text than behind a special token."""
        return bool(self.tokens) and self._tokenised("a") != self._tokenised(self.tokens[0] + "a")[1:]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)
