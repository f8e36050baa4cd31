"""A score from a reward model in this process, through its own tokenizer and chat template."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from posttrain.records import Message
    from posttrain.roles.protocol import Score, TextRole


def reward_model(
    completions: list[str],  # noqa: ARG001 -- they end the conversations
    conversations: list[tuple[Message, ...]],
    *,
    model: TextRole,
) -> list[Score]:
    """The number of the model's score head for each answer, read as transformers reads the conversation.

    A conversation that the model cannot read is an error of its answer alone.

    Settings:
        model: path of a sequence classifier with one label or of a model that reward/bradley_terry trained; a mapping
            of the keys of `models`; or the name of one of `models`.
    """
    return model.score(conversations)
