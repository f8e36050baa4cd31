"""From records to rows of tokens, each token marked as trained or not.

A row holds the tokens of the joint rendering: the text of the chat template, or prompt and answer in plain text,
tokenised once. The marks come from the characters that the assistant wrote, never from comparing tokens with the
padding token, which many tokenizers also use to end a turn. docs/border.md has the rules.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import Any

from posttrain.core.kinds import kind
from posttrain.data.chat.control import ControlTokens
from posttrain.data.chat.length import Truncate, cut_prompt, cut_row
from posttrain.data.chat.messages import same_form
from posttrain.data.chat.renderer import Renderer
from posttrain.data.chat.template import ChatTemplate, Rendered
from posttrain.data.error_context import errors_at
from posttrain.data.notices import Notices
from posttrain.data.spans import values_at
from posttrain.errors import DataError, ModelError
from posttrain.records import Answer, Message, Numbers, Prompt, Record, Row, Sampled, Spans, Turns
from posttrain.seeds import seed_for
from posttrain.turns import answer_text

NOTHING: Mapping[str, Any] = MappingProxyType({})
Marked = tuple[tuple[int, ...], tuple[bool, ...]]  # token ids, and whether each is trained on


class Encoder:
    """Turns records into rows, with a transformers tokenizer and its chat template or another one in Jinja.

    Data never marks turns: `<|im_end|>` in a message is encoded as ordinary text. In plain text it is refused, because
    it is either a conversation that the template should write, or an attempt to look like one. Other special tokens,
    such as `<think>`, are themselves.

    `stop`: tokens that end an answer, besides the end of text and of a turn. `template_settings`: variables of the
    chat template, such as enable_thinking. `notices`: what templates leave out of the records, and the like. `close`
    ends the process that renders the template, unless `renderer` is given: that one its owner closes.
    """

    def __init__(
        self,
        tokenizer: Any,
        max_length: int,
        chat_template: str | None = None,
        *,
        stop: frozenset[int] = frozenset(),
        template_settings: Mapping[str, Any] = NOTHING,
        renderer: Renderer | None = None,
    ) -> None:
        self.tokenizer = tokenizer
        self.max_length = max_length
        self.notices = Notices()
        self.control = ControlTokens(tokenizer, stop)
        self.template = ChatTemplate(
            tokenizer, self.control, chat_template, renderer, settings=template_settings, notices=self.notices
        )
        self.before = _added_before(tokenizer)
        self._stop = stop

    def close(self) -> None:
        """End the process that renders the chat template. The next conversation starts another one."""
        self.template.close()

    @cached_property
    def vocabulary(self) -> str:
        """Size and hash of the vocabulary, to tell one tokenizer from another: `262 tokens (1f0c5a...)`."""
        entries = sorted(self.tokenizer.get_vocab().items())
        return f"{len(entries)} tokens ({seed_for(*(x for entry in entries for x in entry)):014x})"

    @property
    def stop(self) -> frozenset[int]:
        """The tokens that end an answer. The token that ends a turn belongs to them once a conversation was encoded."""
        ends = {self.tokenizer.eos_token_id, *self.tokenizer.convert_tokens_to_ids(sorted(self.template.ends))}
        return self._stop | {int(token) for token in ends if token is not None}

    def prompt(self, record: Prompt, room: int = 0, truncate: Truncate = "error") -> tuple[int, ...]:
        """Return the tokens after which the answer begins. `room` more must fit into max_length.

        `truncate`: what happens to a prompt that is too long; see data/chat/length.py.
        """
        with errors_at(record.where):
            tokens = self._prompt_tokens(record)
            if not tokens:
                raise DataError("the prompt is empty")
            return cut_prompt(tuple(tokens), self.max_length, room, truncate)

    def conversation(self, messages: Sequence[Message], arguments: Mapping[str, Any] = NOTHING) -> tuple[int, ...]:
        """Return the tokens of a whole conversation, as transformers renders it. DataError if it is too long."""
        tokens = tuple(self.control.encode(self.template.whole(messages, arguments)))
        if len(tokens) > self.max_length:
            raise DataError(
                f"a conversation of {len(tokens)} tokens does not fit into max_length {self.max_length}; "
                "raise max_length or shorten it"
            )
        return tokens

    def rows(
        self, record: Record, of: str, wanted: Mapping[str, str] = NOTHING, truncate: Truncate = "error"
    ) -> list[Row]:
        """Return one row for each answer, the chosen or the best one first. Every token of an answer is trained on.

        A demonstration with several answers is one row, or several where its template rewrites earlier turns. `of`:
        the kind of the record. `wanted`: columns of the record that become tensors, where it has them, with their
        axes. `truncate`: what happens to a row that is too long; see data/chat/length.py.
        """
        with errors_at(record.where):
            known = kind(of)
            if not isinstance(record, known.record):
                raise DataError(f"a {type(record).__name__} cannot be encoded as {of}")
            rows: list[Row] = known.encode(self, record, wanted)
            return [cut_row(row, self.max_length, truncate) for row in rows]

    def row(self, identity: int, record: Record, answer: Answer, **columns: Any) -> Row:
        """Return the row of one answer to the prompt of a record. `columns`: see `rows_of`.

        Raises DataError if the template needs more than one row for it.
        """
        rows = self.rows_of(identity, record, answer, **columns)
        if len(rows) > 1:
            raise DataError(
                f"the answer has {len(rows)} turns of the assistant, and the chat template rewrites earlier ones once "
                "later ones follow, so that no row holds them all; put all but the last into the prompt, or set "
                "model.chat_template to one that leaves them as they are"
            )
        return rows[0]

    def rows_of(self, identity: int, record: Record, answer: Answer, **columns: Any) -> list[Row]:
        """Return the rows of an answer to the prompt of a record: one, or one for each of its turns.

        `columns`: numbers of the row, tuples with one for each trained token, or spans of the answer's text.
        """
        rows = []
        for number, (tokens, marks) in enumerate(self._marked(record, answer)):
            trained = (False, *marks[1:])  # the first token has no context to be predicted from
            if not any(trained):
                raise DataError("the row holds no token to train on; it is empty or has no turn of the assistant")
            own = identity if number == 0 else seed_for("turn", identity, number)
            placed = {n: self._placed(n, x, tokens, trained, answer) for n, x in columns.items()}
            rows.append(Row(own, tokens, trained, trained, {n: _at_tokens(n, x, trained) for n, x in placed.items()}))
        if not rows:
            raise DataError("the row holds no token to train on; it has no turn of the assistant that is trained")
        return rows

    def _placed(self, name: str, cell: Any, tokens: Sequence[int], trained: Sequence[bool], answer: Answer) -> Any:
        """Turn spans of an answer into a number for each trained token; anything else stays as it is."""
        if not isinstance(cell, Spans):
            return cell
        own = [token for token, mark in zip(tokens, trained, strict=True) if mark]
        begin = self.text(own).find(answer_text(answer))
        if begin < 0:
            raise DataError(f"{name!r} has spans, and the tokens of the answer do not give back its text; give numbers")
        return values_at(cell, [end - begin for end in self.text_ends(own)])

    def followed(self, prompt: Turns, text: str) -> tuple[tuple[int, ...], int]:
        """Return the tokens of a prompt with a text behind it, and how many of them come before the text's first."""
        if isinstance(prompt, str):
            self._check_plain(prompt)
            before, asked = self.before, prompt
        else:
            before, asked = [], self.template.question(prompt)
        read, said = self._behind(asked, self.control.hide(text, self.template.marks.tokens))
        tokens = (*before, *read, *said)
        if len(tokens) > self.max_length:
            raise DataError(
                f"a prompt with an answer of {len(tokens)} tokens in all does not fit into max_length "
                f"{self.max_length}; raise max_length or shorten it"
            )
        return tokens, len(before) + len(read)

    def text(self, tokens: Sequence[int]) -> str:
        """Decode an answer, special tokens such as `<think>` included.

        The token that ended it is left out, and so are those that mark turns: the text may become a part of a prompt.
        """
        ended = bool(tokens) and tokens[-1] in self.stop
        said = list(tokens[:-1] if ended else tokens)
        if not self.control.ids.isdisjoint(said):
            marks = set(self.tokenizer.convert_tokens_to_ids(sorted(self.template.marks.tokens)))
            said = [token for token in said if token not in marks]
        return str(self.tokenizer.decode(said, skip_special_tokens=False, clean_up_tokenization_spaces=False))

    def text_ends(self, tokens: Sequence[int]) -> list[int]:
        """Return for each token how many characters of `text(tokens)` there are once it is read.

        A character of several tokens counts from the first of them.
        """
        return [len(self.text(tokens[: i + 1])) for i in range(len(tokens))]

    # ---- tokens

    def _prompt_tokens(self, record: Record) -> list[int]:
        """Encode a prompt as the model reads it before it answers."""
        if isinstance(record.prompt, str):
            self._check_plain(record.prompt)
            return self.before + self.control.encode(record.prompt)
        self.template.marks  # noqa: B018 -- the token that ends the answer is known from here on
        return self.control.encode(self.template.question(record.prompt, record.arguments, record.where))

    def _marked(self, record: Record, answer: Answer) -> list[Marked]:
        prompt = record.prompt
        if isinstance(answer, Sampled):
            asked = answer.asked or tuple(self._prompt_tokens(record))
            written = answer.written or (True,) * len(answer.tokens)
            marks = (False,) * (len(asked) + answer.read) + written[answer.read :]
            return [((*asked, *answer.tokens), marks)]
        if isinstance(prompt, str) and isinstance(answer, str):
            return [self._plain(prompt, answer, record.where)]
        before, answered = same_form(prompt, answer) if prompt else ((), answer)
        assert not isinstance(before, str)
        assert not isinstance(answered, str)
        self.template.marks  # noqa: B018 -- as above
        joint, turns = self.template.rows(before, answered, record.arguments, record.where)
        whole = joint and self._jointly(joint)
        return [whole] if whole else [self._turn(turn) for turn in turns]

    def _jointly(self, rendered: Rendered) -> Marked | None:
        """Tokenise a rendered text once, up to the end of its last answer.

        None where a token would straddle the beginning of an answer: the model reads other tokens when it is asked.
        """
        edges = [edge for span in rendered.spans for edge in span]
        ids, places = self.control.encode_with_places(rendered.text, edges)
        if None in places:
            return None
        marks = [False] * len(ids)
        for start, end in zip(places[::2], places[1::2], strict=True):
            marks[start:end] = [True] * (end - start)  # type: ignore[operator]
        return tuple(ids[: places[-1]]), tuple(marks[: places[-1]])

    def _turn(self, rendered: Rendered) -> Marked:
        """Tokenise a rendered text with one answer, which a token may straddle the beginning of."""
        ((start, end),) = rendered.spans
        return _marked(*self._behind(rendered.text[:start], rendered.text[start:end]))

    def _behind(self, asked: str, answer: str) -> tuple[list[int], list[int]]:
        """Return the tokens of a prompt, and of the answer behind it: together they are those of the whole text.

        A token that would straddle the boundary is cut there, since the model reads the tokens of the prompt alone.
        """
        read = self.control.encode(asked)
        whole = self.control.encode(asked + answer)
        return read, whole[len(read) :] if whole[: len(read)] == read else self.control.continued(answer)

    def _plain(self, prompt: str, answer: str, where: str) -> Marked:
        """Tokenise prompt and answer in plain text as one text, and end it."""
        self._check_plain(prompt + answer)
        read, said = self._behind(prompt, answer)
        if prompt[-1:].isspace() and prompt[-1] not in "\r\n" and not answer[:1].isspace():
            self.notices.add(
                "the prompt ends with a space, which many models read as a part of the next word; end it where a "
                "word ends, and begin the answer with the space",
                where,
            )
        return _marked([*self.before, *read], [*said, self._eos()])

    def _check_plain(self, text: str) -> None:
        """Refuse the special tokens that mark turns; others, such as `<think>`, are themselves."""
        self.control.hide(text, ())
        if found := [t for t in self.control.found_in(text) if t in self.template.marks.tokens]:
            raise DataError(
                f"the text contains the control token {found[0]!r}; write conversations as messages, or remove it"
            )

    def _eos(self) -> int:
        if self.tokenizer.eos_token_id is None:
            raise ModelError("the tokenizer has no end-of-sequence token, so the model could not learn to stop")
        return int(self.tokenizer.eos_token_id)


def _marked(read: Sequence[int], said: Sequence[int]) -> Marked:
    return (*read, *said), (False,) * len(read) + (True,) * len(said)


def _at_tokens(name: str, cell: Any, trained: Sequence[bool]) -> Any:
    """Spread a number for each trained token over the row, 0 elsewhere; one number for the row stays as it is.

    Raises DataError where there are more or fewer numbers than trained tokens.
    """
    if not isinstance(cell, tuple) or isinstance(cell, Numbers):
        return cell
    if len(cell) != sum(trained):
        raise DataError(
            f"{name!r} has {len(cell)} numbers for the {sum(trained)} tokens of the answer; give one for each"
        )
    numbers = iter(cell)
    return tuple(next(numbers) if mark else 0.0 for mark in trained)


def _added_before(tokenizer: Any) -> list[int]:
    """Return the tokens that the tokenizer puts before every text: usually none, or the one that begins texts."""
    whole, bare = (tokenizer("a", add_special_tokens=special)["input_ids"] for special in (True, False))
    starts = (i for i in range(len(whole)) if whole[i : i + len(bare)] == bare)
    return list(whole[: next(starts, 0)])
