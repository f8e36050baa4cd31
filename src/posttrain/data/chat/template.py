"""Chat templates: a conversation as text, and which parts of that text the assistant wrote."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from posttrain.data.chat.control import ControlTokens
from posttrain.data.chat.renderer import Renderer
from posttrain.errors import ModelError
from posttrain.records import Message

TextPiece = tuple[str, bool]  # text, and whether it is trained on


class ChatTemplate:
    """The template of a tokenizer, or `source` in its place.

    `renderer`: one that is shared, and closed by its owner. Without one the template starts its own when it first needs
    it, and `close` ends that.
    """

    def __init__(
        self, tokenizer: Any, control: ControlTokens, source: str | None = None, renderer: Renderer | None = None
    ) -> None:
        self.tokenizer = tokenizer
        self.control = control
        own = tokenizer.chat_template  # one, or several by name
        self.source: str | None = source or (own.get("default") if isinstance(own, Mapping) else own)
        self._shared = renderer is not None
        self._renderer = renderer or Renderer()

    def question(self, prompt: Sequence[Message]) -> str:
        """Return the conversation so far, followed by the words that call for the assistant's answer."""
        return self._render(self.control.hide(list(prompt)), answer_next=True)

    def whole(self, conversation: Sequence[Message]) -> str:
        """Return a whole conversation, with all that the template writes behind its last message."""
        return self._render(self.control.hide(list(conversation)), answer_next=False)

    def pieces(self, prompt: Sequence[Message], answer: Sequence[Message]) -> list[TextPiece]:
        """Cut the text of a conversation into pieces; those that the assistant wrote after the prompt are trained on.

        An answer runs from the words that call for it to the token that ends the turn. White space behind that token
        belongs to the next piece, and turns behind the last answer are left out: neither can be trained on.
        """
        conversation = self.control.hide([*prompt, *answer])
        pieces: list[TextPiece] = []
        seen = ""
        for i in range(len(prompt), len(conversation)):
            if conversation[i]["role"] == "assistant":
                asked = self._render(conversation[:i], answer_next=True)
                answered = self._render(conversation[: i + 1], answer_next=False).rstrip()
                _check_prefix(seen, asked, number=i + 1)
                _check_prefix(asked, answered, number=i + 1)
                self._check_end(answered)
                pieces += [(asked[len(seen) :], False), (answered[len(asked) :], True)]
                seen = answered
        return pieces

    def close(self) -> None:
        """End the process that renders, unless it is shared."""
        if not self._shared:
            self._renderer.close()

    def _render(self, conversation: list[Any], *, answer_next: bool) -> str:
        if not self.source:
            raise ModelError(
                "the data holds conversations, but the tokenizer has no chat template; "
                "set model.chat_template to a Jinja file, or give prompts as plain text"
            )
        return self._renderer.render(self.source, conversation, answer_next, self.tokenizer.special_tokens_map)

    def _check_end(self, answered: str) -> None:
        if not answered.endswith(tuple(self.control.tokens)):
            raise ModelError(
                f"the chat template ends the assistant's turn with {answered[-20:]!r} and not with a special token, so "
                "the model could not learn to stop; add {{ eos_token }} behind the assistant's content"
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
