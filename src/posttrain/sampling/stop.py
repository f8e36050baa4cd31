"""Where an answer ends, besides the tokens that end every answer: at a string, or at a sequence of tokens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from posttrain.errors import ConfigError

Decode = Callable[[list[int]], str]
UNFINISHED = "\ufffd"  # what tokens decode to that hold a part of a character


@dataclass(frozen=True)
class Stop:
    """Ends an answer with the token that completes one of the strings, or one of the sequences of tokens.

    A string may begin and end inside tokens. What the last token says behind the string stays in the answer: its tokens
    are those that were sampled. `decode` is that of the tokenizer, special tokens included; only strings need it.
    """

    strings: tuple[str, ...] = ()
    sequences: tuple[tuple[int, ...], ...] = ()
    decode: Decode = field(default=lambda _: "", compare=False, repr=False)
    _completes: dict[int, bool] = field(default_factory=dict, init=False, compare=False, repr=False)  # of each token

    def __post_init__(self) -> None:
        if not all((*self.strings, *self.sequences)):
            raise ConfigError("sampling.stop: an empty string would end every answer; remove it")

    @classmethod
    def at(cls, strings: Sequence[str], tokenizer: Any) -> Stop | None:
        """Stop at strings, with a tokenizer of transformers; None without any."""

        def decode(tokens: list[int]) -> str:
            return str(tokenizer.decode(tokens, skip_special_tokens=False, clean_up_tokenization_spaces=False))

        return cls(tuple(strings), decode=decode) if strings else None

    def __call__(self, tokens: Sequence[int]) -> bool:
        """Whether the last of these tokens of an answer ends it. None of those before it did."""
        if any(tuple(tokens[-len(sequence) :]) == sequence for sequence in self.sequences):
            return True
        if not self.strings or not self._may_complete(tokens[-1]):
            return False
        # Every token holds a byte or more, but for one that begins a text with a space that is not written.
        longest = max(len(string.encode()) for string in self.strings)
        text = self.decode(list(tokens[-longest - 1 :]))
        return any(string in text for string in self.strings)

    def _may_complete(self, token: int) -> bool:
        """Whether a token holds the end of a string, or all of it: few do, so that few answers are decoded."""
        if token not in self._completes:
            text = self.decode([token, token]).removeprefix(self.decode([token]))  # as it stands behind another one
            self._completes[token] = UNFINISHED in text or any(
                string in text or any(string.endswith(text[:n]) for n in range(1, len(text) + 1))
                for string in self.strings
            )
        return self._completes[token]
