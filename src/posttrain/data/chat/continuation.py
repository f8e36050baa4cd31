"""The tokens between a sampled turn and the next: what ends the turn, the messages behind it, the call for an answer.

They are found by rendering the whole conversation, not by rules about families of templates. The sampled tokens stay as
they are; a template that writes earlier turns otherwise once later ones follow cannot be continued behind them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from posttrain.data.chat.control import ControlTokens
from posttrain.data.chat.encode import NOTHING, Encoder
from posttrain.data.chat.left_out import Written
from posttrain.data.chat.prefix import shared
from posttrain.errors import DataError
from posttrain.records import Message
from posttrain.turns import joined

What = Literal["history", "answer", "thought", "end"]
SHOWN = {
    "history": "what comes before the answer",
    "answer": "the answer",
    "thought": "the answer, whose thought it leaves out,",
    "end": "the end of the answer",
}


class RewrittenError(DataError):
    """The chat template writes earlier turns otherwise once messages follow, so that no tokens continue them.

    `what` was changed: the history before the sampled turn, that turn, its thought, or the token that ended it.
    """

    def __init__(self, what: What, before: str, after: str) -> None:
        same = shared(before, after)
        start = max(0, same - 10)
        super().__init__(
            f"the chat template writes {SHOWN[what]} otherwise once messages follow: {before[start : same + 30]!r} "
            f"becomes {after[start : same + 30]!r}, so what follows cannot be appended to the tokens so far"
        )
        self.what = what


def continued(
    encoder: Encoder,
    conversation: Sequence[Message],
    follows: Sequence[Message],
    arguments: Mapping[str, Any] = NOTHING,
    *,
    sampled: Sequence[int],
) -> tuple[int, ...]:
    """Return the tokens that come between a sampled turn and the next one.

    `conversation` ends with the sampled turn, as a message of the assistant; `sampled` are its tokens, with the one
    that ended it unless it was cut. `follows` come behind it, `arguments` are those of the prompt. The prompt's tokens,
    the sampled and the returned ones say together what the template writes for the whole conversation. Raises
    RewrittenError where no tokens do, DataError where the template refuses the messages.
    """
    *before, turn = conversation
    asked = encoder.template.question(before, arguments)
    whole = encoder.template.question((*joined(before, (turn,)), *follows), arguments)
    if not whole.startswith(asked):
        raise _rewritten(encoder, turn, asked, _said(encoder, encoder.control.encode(asked), sampled), whole)
    cut = encoder.control.last_cut(asked)  # what stands before it is the same in both, and need not be encoded
    asked, whole = asked[cut:], whole[cut:]
    read = encoder.control.encode(asked)
    tokens = encoder.control.encode(whole)
    partial = [*read, *sampled]
    if tokens[: len(partial)] == partial:
        return tuple(tokens[len(partial) :])
    said = _said(encoder, read, sampled)  # in other tokens than the tokenizer's own for the same text
    end = _end(encoder.control, whole, len(asked), said)
    if end is None:
        raise _rewritten(encoder, turn, asked, said, whole)
    tokens, (place,) = encoder.control.encode_with_places(whole, [end])
    return tuple(encoder.control.continued(whole[end:]) if place is None else tokens[place:])


@dataclass(frozen=True)
class Followed:
    """A sampled turn as a message, and the tokens behind it; None where the template rewrites it, as `why` says."""

    message: Message
    tokens: tuple[int, ...] | None
    why: RewrittenError | None = None


def followed(
    encoder: Encoder,
    conversation: Sequence[Message],
    forms: Sequence[Message],
    follows: Sequence[Message],
    arguments: Mapping[str, Any] = NOTHING,
    *,
    sampled: Sequence[int],
) -> Followed:
    """Choose among the `forms` of a sampled turn, such as all its text or its text and calls apart, and continue it.

    The first form that the template writes as it was sampled, or else the last one that it does not refuse.
    `conversation` ends before the turn. Raises the DataError of the first form where the template refuses all.
    """
    refused: list[DataError] = []
    rewritten: list[Followed] = []
    for form in forms:
        try:
            return Followed(form, continued(encoder, (*conversation, form), follows, arguments, sampled=sampled))
        except RewrittenError as error:
            rewritten.append(Followed(form, None, error))
        except DataError as error:
            refused.append(error)
    if not rewritten:
        raise refused[0]
    return rewritten[-1]


def _said(encoder: Encoder, read: Sequence[int], sampled: Sequence[int]) -> str:
    """Return the text of sampled tokens behind those of a prompt; SentencePiece drops a space at a text's beginning."""

    def text(tokens: Sequence[int]) -> str:
        decoded = encoder.tokenizer.decode(list(tokens), skip_special_tokens=False, clean_up_tokenization_spaces=False)
        return str(decoded)

    before, both = text(read[-1:]), text([*read[-1:], *sampled])
    return both[len(before) :] if both.startswith(before) else text(sampled)


def _end(control: ControlTokens, whole: str, start: int, said: str) -> int | None:
    """Return where what was said ends in the text, in which it begins at `start`; None where the text says otherwise.

    Marks of turns that the answer spells out have one character each in the text.
    """
    done = 0
    while done < len(said):
        written = control.shown(whole[start : start + 1])
        if not written or not said.startswith(written, done):
            return None
        start, done = start + 1, done + len(written)
    return start


def _rewritten(encoder: Encoder, turn: Message, asked: str, said: str, whole: str) -> RewrittenError:
    expected, after = encoder.control.shown(asked) + said, encoder.control.shown(whole)
    same = shared(expected, after)
    if not whole.startswith(asked):
        what: What = "history"
    elif Written(after).lacks_thought(turn):
        what = "thought"
    else:
        ended = next((token for token in encoder.control.tokens if said.endswith(token)), "")
        what = "end" if ended and same >= len(expected) - len(ended) else "answer"
    return RewrittenError(what, expected, after)
