"""From records to rows of tokens, with the marks of what is learnt.

Prompt and answer are tokenised apart, so the tokens of a prompt are the same in training and in sampling. Marks come
from lengths, never from comparing tokens with the padding token, which many tokenizers also use to end a turn.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cached_property
from typing import Any

from posttrain.data.chat.control import ControlTokens
from posttrain.data.chat.messages import alike
from posttrain.data.chat.template import ChatTemplate
from posttrain.data.error_context import at
from posttrain.data.numeric_columns import numbers
from posttrain.errors import DataError, ModelError
from posttrain.records import RECORDS, Answer, Demonstration, Pair, Prompt, Ranking, Rating, Record, Row, Sampled, Turns
from posttrain.seeds import seed_for

Part = tuple[list[int], bool]  # token ids, and whether they are learnt


class Encoder:
    """Makes rows with a transformers tokenizer and its chat template, or another one in Jinja.

    Data never turns into control tokens: `<|im_end|>` in a message is encoded as the text it is. In plain text it is
    refused, because it is either a conversation that the template should write, or an attempt to look like one.
    """

    def __init__(self, tokenizer: Any, max_length: int, chat_template: str | None = None) -> None:
        self.tokenizer, self.max_length = tokenizer, max_length
        self.control = ControlTokens(tokenizer)
        self.template = ChatTemplate(tokenizer, self.control, chat_template)
        first = tokenizer("a")["input_ids"][:1]
        self.begin: list[int] = first if first == [tokenizer.bos_token_id] else []

    @cached_property
    def vocabulary(self) -> str:
        """Size and hash, to tell one tokenizer from another: `262 tokens (1f0c5a...)`."""
        words = sorted(self.tokenizer.get_vocab().items())
        return f"{len(words)} tokens ({seed_for(*(x for pair in words for x in pair)):014x})"

    def prompt(self, record: Prompt, room: int = 0) -> tuple[int, ...]:
        """Tokens after which the answer begins. DataError unless `room` more tokens fit into max_length."""
        with at(record.where):
            tokens = self._asked(record.prompt)
            if not tokens:
                raise DataError("the prompt is empty")
            if len(tokens) + room > self.max_length:
                answer = f" and an answer of {room}" if room else ""
                raise DataError(
                    f"a prompt of {len(tokens)} tokens{answer} does not fit into max_length {self.max_length}; "
                    "raise max_length, shorten the prompt or lower max_tokens"
                )
            return tuple(tokens)

    def rows(self, record: Record, kind: str, wanted: Collection[str] = ()) -> list[Row]:
        """One row, or one for each answer: the chosen or the best first. All that the model writes is trained.

        `wanted`: the columns of the record that become numbers of its rows, where it has them.
        """
        with at(record.where):
            match record, kind:
                case Demonstration(), _ if RECORDS[kind] is Demonstration:
                    own = numbers(record.columns, wanted)
                    return [self._row(record.id, record.prompt, record.completion, **own)]
                case Rating(), "ratings":
                    own = numbers(record.columns, wanted) | {"label": record.label}
                    return [self._row(record.id, record.prompt, record.completion, **own)]
                case Pair(), "pairs":
                    return self._pair(record, wanted)
                case Ranking(), "rankings":
                    return self._ranking(record, wanted)
            raise DataError(f"a {type(record).__name__} cannot be encoded as {kind}")

    def _pair(self, r: Pair, wanted: Collection[str]) -> list[Row]:
        sides = (("chosen", r.id, r.chosen), ("rejected", seed_for("rejected", r.id), r.rejected))
        return [self._row(i, r.prompt, said, **numbers(r.columns, wanted, side=side)) for side, i, said in sides]

    def _ranking(self, r: Ranking, wanted: Collection[str]) -> list[Row]:
        rows = []
        for rank, said in enumerate(r.completions):
            own = numbers(r.columns, wanted, place=rank, places=len(r.completions))
            rows.append(self._row(seed_for("ranked", r.id, rank), r.prompt, said, group=r.id, rank=rank, **own))
        return rows

    def text(self, tokens: Sequence[int]) -> str:
        """What tokens say, without control tokens."""
        return str(self.tokenizer.decode(list(tokens), skip_special_tokens=True, clean_up_tokenization_spaces=False))

    def _asked(self, prompt: Turns) -> list[int]:
        """A question as the model reads it before it answers."""
        if isinstance(prompt, str):
            return self.begin + self._plain(prompt)
        return self.control.encode(self.template.question(prompt))

    def _row(self, identity: int, prompt: Turns, answer: Answer, **columns: Any) -> Row:
        parts = self._parts(prompt, answer)
        tokens = tuple(token for ids, _ in parts for token in ids)
        learnt = [mark for ids, mark in parts for _ in ids]
        trained = (False, *learnt[1:])  # nothing stands before the first token, so nothing can predict it
        if len(tokens) > self.max_length:
            raise DataError(
                f"a row of {len(tokens)} tokens does not fit into max_length {self.max_length}; "
                "raise max_length or shorten the example"
            )
        if not any(trained):
            raise DataError("the row holds no token that could be learnt; it is empty or has no turn of the assistant")
        return Row(identity, tokens, trained, trained, {n: _at_tokens(n, x, trained) for n, x in columns.items()})

    def _parts(self, prompt: Turns, answer: Answer) -> list[Part]:
        if isinstance(answer, Sampled):
            return [(self._asked(prompt), False), (list(answer.tokens), True)]
        if isinstance(prompt, str) and isinstance(answer, str):
            return [(self.begin + self._plain(prompt), False), ([*self._plain(answer), self._end()], True)]
        asked, said = alike(prompt, answer) if prompt else ((), answer)
        assert not isinstance(asked, str)
        assert not isinstance(said, str)
        return [(self.control.encode(text), learnt) for text, learnt in self.template.pieces(asked, said)]

    def _plain(self, text: str) -> list[int]:
        """Text as it is. Only what turns are made of is refused; `<filename>` may be just a word."""
        made_of = (self.template.source or "", self.tokenizer.eos_token or "")
        if token := next((t for t in self.control.found_in(text) if any(t in source for source in made_of)), None):
            raise DataError(
                f"the text contains the control token {token!r}; write conversations as messages, or remove it"
            )
        return self.control.encode(self.control.hide(text))

    def _end(self) -> int:
        if self.tokenizer.eos_token_id is None:
            raise ModelError("the tokenizer has no end-of-sequence token, so the model could not learn to stop")
        return int(self.tokenizer.eos_token_id)


def _at_tokens(name: str, cell: Any, learnt: Sequence[bool]) -> Any:
    """One number a row as it is; numbers of the learnt tokens at these tokens, 0 elsewhere. DataError for too few."""
    if not isinstance(cell, tuple):
        return cell
    if len(cell) != sum(learnt):
        raise DataError(
            f"{name!r} has {len(cell)} numbers for the {sum(learnt)} tokens of the answer; give one for each"
        )
    numbers = iter(cell)
    return tuple(next(numbers) if here else 0.0 for here in learnt)
