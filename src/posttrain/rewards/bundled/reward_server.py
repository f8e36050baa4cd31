"""A score from a reward model behind a server: vLLM's /classify, /pooling or /score (endpoint/scores.py)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from posttrain.endpoint.failure import ReplyError
from posttrain.endpoint.scores import APIS, Name, number_of, request_of
from posttrain.errors import ConfigError
from posttrain.judges.asking import client


def reward_server(
    prompts: list[str],
    completions: list[str],  # noqa: ARG001 -- they end the conversations
    conversations: list[list[dict[str, Any]]],
    *,
    endpoint: Mapping[str, Any],
    api: Name = "classify",
    folder: str | None = None,
) -> list[float | ReplyError]:
    """The number of the reward model's head for each answer. A request that fails is an error of its answer alone.

    Settings:
        endpoint: options of the server's endpoint: the key `model`, and any other key of endpoint/endpoint.py.
        api: name of what is asked: classify or pooling (whole conversations) or score (prompt and answer as a pair).
        folder: folder that keeps replies and what was spent; null keeps nothing, a run gives its own.
    """
    if api not in get_args(Name):
        raise ConfigError(f"api={api!r}; write {', '.join(get_args(Name))}")
    asked = [request_of(api, prompt, turns) for prompt, turns in zip(prompts, conversations, strict=True)]
    replies = client(endpoint, folder, APIS[api]).ask(asked)
    return [reply if isinstance(reply, ReplyError) else number_of(reply) for reply in replies]
