"""Chat templates: a conversation as text, and which of its text the assistant said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from posttrain.data.chat.control import ControlTokens
from posttrain.data.chat.renderer import RENDERER
from posttrain.errors import ModelError
from posttrain.records import Message


class ChatTemplate:
    """The template of a tokenizer, or `source` in its place."""

    def __init__(self, tokenizer: Any, control: ControlTokens, source: str | None = None) -> None:
        self.tokenizer, self.control = tokenizer, control
        own = tokenizer.chat_template  # one, or several by name
        self.source: str | None = source or (own.get("default") if isinstance(own, Mapping) else own)

    def question(self, prompt: Sequence[Message]) -> str:
        """The conversation so far and the words that call for the assistant's answer."""
        return self._render(self.control.hide(list(prompt)), answer_next=True)

    def pieces(self, prompt: Sequence[Message], answer: Sequence[Message]) -> list[tuple[str, bool]]:
        """The text in pieces, each with whether it is an answer: what the assistant says after the prompt.

        An answer runs from the words that call for it to the token that ends the turn. White space behind that token
        belongs to the next piece, and turns behind the last answer are left out: neither can be learnt from.
        """
        conversation = self.control.hide([*prompt, *answer])
        found: list[tuple[str, bool]] = []
        done = ""
        for i in range(len(prompt), len(conversation)):
            if conversation[i]["role"] == "assistant":
                asked = self._render(conversation[:i], answer_next=True)
                said = self._render(conversation[: i + 1], answer_next=False).rstrip()
                _check_prefix(done, asked, number=i + 1)
                _check_prefix(asked, said, number=i + 1)
                self._check_end(said)
                found += [(asked[len(done) :], False), (said[len(asked) :], True)]
                done = said
        return found

    def _render(self, conversation: list[Any], *, answer_next: bool) -> str:
        if not self.source:
            raise ModelError(
                "the data holds conversations, but the tokenizer has no chat template; "
                "set model.chat_template to a Jinja file, or give prompts as plain text"
            )
        return RENDERER.render(self.source, conversation, answer_next, self.tokenizer.special_tokens_map)

    def _check_end(self, said: str) -> None:
        if not said.endswith(tuple(self.control.tokens)):
            raise ModelError(
                f"the chat template ends the assistant's turn with {said[-20:]!r} and not with a special token, so the "
                "model could not learn to stop; add {{ eos_token }} behind the assistant's content"
            )


def _check_prefix(before: str, after: str, *, number: int) -> None:
    if not after.startswith(before):
        same = next((i for i, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), len(after))
        start = max(0, same - 10)
        raise ModelError(
            f"the chat template is not prefix-stable: with message {number} it changes what stands before that message "
            f"from {before[start : same + 30]!r} to {after[start : same + 30]!r}, so the answers cannot be told apart; "
            "give every answer a row of its own (prompt and completion), or set another model.chat_template"
        )
