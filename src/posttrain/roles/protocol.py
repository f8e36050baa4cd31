"""What a model does in text, whatever its tokenizer and wherever it runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from posttrain.records import Turns
from posttrain.roles.choices import Choices

Options = Sequence[str] | Sequence[Sequence[str]]  # the same for all conversations, or a list for each of them
Score = float | Exception | None  # None: the model abstains; an exception: this conversation alone cannot be scored


class TextRole(Protocol):
    """A model that reads and writes text. A conversation is a list of messages, or plain text: one user message.

    Raises ConfigError for what the model cannot do.
    """

    def ask(
        self,
        conversations: Sequence[Turns],
        *,
        samples: int = 1,
        max_tokens: int,
        temperature: float = 1.0,
        seed: int = 0,
    ) -> list[list[str]]:
        """Return `samples` replies to each conversation. The seed of a reply derives from `seed` and the conversation.

        Equal conversations get replies with different seeds. Temperature 0 is greedy.
        """

    def choose(self, conversations: Sequence[Turns], options: Options) -> list[list[float]]:
        """Return the probability of each option as the beginning of the reply, renormalised over the options."""

    def choices(self, conversations: Sequence[Turns], options: Options) -> list[Choices]:
        """Return the log-probs of the options of each conversation, token by token."""

    def score(self, conversations: Sequence[Turns]) -> list[Score]:
        """Return a number for the last message of each conversation, which is the assistant's answer."""

    def close(self) -> None:
        """End the processes that the role has started."""
