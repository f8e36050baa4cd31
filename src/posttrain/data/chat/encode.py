"""From records to rows of tokens, each token marked as trained or not.

Prompt and answer are tokenised separately, so a prompt has the same tokens in training and in sampling. The marks come
from lengths, never from comparing tokens with the padding token, which many tokenizers also use to end a turn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import Any

from posttrain.core.kinds import kind
from posttrain.data.chat.control import ControlTokens
from posttrain.data.chat.messages import same_form
from posttrain.data.chat.renderer import Renderer
from posttrain.data.chat.template import ChatTemplate
from posttrain.data.error_context import errors_at
from posttrain.errors import DataError, ModelError
from posttrain.records import Answer, Message, Prompt, Record, Row, Sampled, Turns
from posttrain.seeds import seed_for

NOTHING: Mapping[str, str] = MappingProxyType({})
TokenPiece = tuple[list[int], bool]  # token ids, and whether they are trained on


class Encoder:
    """Turns records into rows, with a transformers tokenizer and its chat template or another one in Jinja.

    Data never turns into control tokens: `<|im_end|>` in a message is encoded as ordinary text. In plain text it is
    refused, because it is either a conversation that the template should write, or an attempt to look like one.
    `close` ends the process that renders the template, unless `renderer` is given: that one its owner closes.
    """

    def __init__(
        self, tokenizer: Any, max_length: int, chat_template: str | None = None, *, renderer: Renderer | None = None
    ) -> None:
        self.tokenizer = tokenizer
        self.max_length = max_length
        self.control = ControlTokens(tokenizer)
        self.template = ChatTemplate(tokenizer, self.control, chat_template, renderer)
        first = tokenizer("a")["input_ids"][:1]
        self.bos: list[int] = first if first == [tokenizer.bos_token_id] else []

    def close(self) -> None:
        """End the process that renders the chat template. The next conversation starts another one."""
        self.template.close()

    @cached_property
    def vocabulary(self) -> str:
        """Size and hash of the vocabulary, to tell one tokenizer from another: `262 tokens (1f0c5a...)`."""
        entries = sorted(self.tokenizer.get_vocab().items())
        return f"{len(entries)} tokens ({seed_for(*(x for entry in entries for x in entry)):014x})"

    def prompt(self, record: Prompt, room: int = 0) -> tuple[int, ...]:
        """Return the tokens after which the answer begins. DataError unless `room` more fit into max_length."""
        with errors_at(record.where):
            tokens = self._prompt_tokens(record.prompt)
            if not tokens:
                raise DataError("the prompt is empty")
            if len(tokens) + room > self.max_length:
                answer = f" and an answer of {room}" if room else ""
                raise DataError(
                    f"a prompt of {len(tokens)} tokens{answer} does not fit into max_length {self.max_length}; "
                    "raise max_length, shorten the prompt or lower max_tokens"
                )
            return tuple(tokens)

    def conversation(self, messages: Sequence[Message]) -> tuple[int, ...]:
        """Return the tokens of a whole conversation, as transformers renders it. DataError if it is too long."""
        tokens = self.control.encode(self.template.whole(messages))
        self._check_length(tokens, "a conversation")
        return tuple(tokens)

    def rows(self, record: Record, of: str, wanted: Mapping[str, str] = NOTHING) -> list[Row]:
        """Return one row for each answer, the chosen or the best one first. Every token of an answer is trained on.

        `of`: the kind of the record. `wanted`: columns of the record that become tensors, where it has them, with their
        axes.
        """
        with errors_at(record.where):
            known = kind(of)
            if not isinstance(record, known.record):
                raise DataError(f"a {type(record).__name__} cannot be encoded as {of}")
            rows: list[Row] = known.encode(self, record, wanted)
            return rows

    def text(self, tokens: Sequence[int]) -> str:
        """Decode tokens, leaving control tokens out."""
        return str(self.tokenizer.decode(list(tokens), skip_special_tokens=True, clean_up_tokenization_spaces=False))

    def text_ends(self, tokens: Sequence[int]) -> list[int]:
        """Return for each token how many characters of `text(tokens)` there are once it is read.

        A character of several tokens counts from the first of them.
        """
        return [len(self.text(tokens[: i + 1])) for i in range(len(tokens))]

    def _prompt_tokens(self, prompt: Turns) -> list[int]:
        """Encode a prompt as the model reads it before it answers."""
        if isinstance(prompt, str):
            return self.bos + self._plain(prompt)
        return self.control.encode(self.template.question(prompt))

    def row(self, identity: int, prompt: Turns, answer: Answer, **columns: Any) -> Row:
        """Return the row of one answer. `columns`: numbers of the row, or tuples with one for each trained token."""
        pieces = self._pieces(prompt, answer)
        tokens = tuple(token for ids, _ in pieces for token in ids)
        marks = [mark for ids, mark in pieces for _ in ids]
        trained = (False, *marks[1:])  # the first token has no context to be predicted from
        self._check_length(tokens, "a row")
        if not any(trained):
            raise DataError("the row holds no token to train on; it is empty or has no turn of the assistant")
        return Row(identity, tokens, trained, trained, {n: _at_tokens(n, x, trained) for n, x in columns.items()})

    def _pieces(self, prompt: Turns, answer: Answer) -> list[TokenPiece]:
        if isinstance(answer, Sampled):
            return [(self._prompt_tokens(prompt), False), (list(answer.tokens), True)]
        if isinstance(prompt, str) and isinstance(answer, str):
            return [(self.bos + self._plain(prompt), False), ([*self._plain(answer), self._eos()], True)]
        asked, answered = same_form(prompt, answer) if prompt else ((), answer)
        assert not isinstance(asked, str)
        assert not isinstance(answered, str)
        return [(self.control.encode(text), trained) for text, trained in self.template.pieces(asked, answered)]

    def _check_length(self, tokens: Sequence[int], what: str) -> None:
        if len(tokens) > self.max_length:
            raise DataError(
                f"{what} of {len(tokens)} tokens does not fit into max_length {self.max_length}; "
                "raise max_length or shorten the example"
            )

    def _plain(self, text: str) -> list[int]:
        """Encode plain text. Refuses only the control tokens that mark turns: `<filename>` may be an ordinary word."""
        turn_text = (self.template.source or "", self.tokenizer.eos_token or "")
        if token := next((t for t in self.control.found_in(text) if any(t in source for source in turn_text)), None):
            raise DataError(
                f"the text contains the control token {token!r}; write conversations as messages, or remove it"
            )
        return self.control.encode(self.control.hide(text))

    def _eos(self) -> int:
        if self.tokenizer.eos_token_id is None:
            raise ModelError("the tokenizer has no end-of-sequence token, so the model could not learn to stop")
        return int(self.tokenizer.eos_token_id)


def _at_tokens(name: str, cell: Any, trained: Sequence[bool]) -> Any:
    """Spread a number for each trained token over the row, 0 elsewhere; one number for the row stays as it is.

    Raises DataError where there are more or fewer numbers than trained tokens.
    """
    if not isinstance(cell, tuple):
        return cell
    if len(cell) != sum(trained):
        raise DataError(
            f"{name!r} has {len(cell)} numbers for the {sum(trained)} tokens of the answer; give one for each"
        )
    numbers = iter(cell)
    return tuple(next(numbers) if mark else 0.0 for mark in trained)
