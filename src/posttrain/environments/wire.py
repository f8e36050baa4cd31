"""Actions, openings and outcomes as plain data, and what is wrong with those that make no sense."""

from __future__ import annotations

import json
import reprlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from posttrain.environments.environment import Action, Call, Outcome
from posttrain.records import Message, Prompt
from posttrain.rewards.verdicts import number

_NOTE = 2000  # characters that are kept of a text in `info`


class NonsenseError(ValueError):
    """What an environment returned is not what the protocol asks for."""


@dataclass(frozen=True)
class Opening:
    """What an episode begins with: the conversation so far, and the schemas of the tools."""

    messages: tuple[Message, ...]
    tools: tuple[Mapping[str, Any], ...] = ()
    choices: tuple[str, ...] = ()


def plain_action(action: Action) -> dict[str, Any]:
    """Convert an action to plain data."""
    return asdict(action)


def action_of(plain: Mapping[str, Any]) -> Action:
    """Rebuild an action."""
    calls = tuple(Call(**call) for call in plain["calls"])
    return Action(plain["text"], plain["content"], calls, tuple(plain["unread"]), plain["ended"])


def plain_prompt(prompt: Prompt) -> dict[str, Any]:
    """Convert a prompt to plain data."""
    return dict(vars(prompt))


def prompt_of(plain: Mapping[str, Any]) -> Prompt:
    """Rebuild a prompt."""
    said = plain["prompt"]
    return Prompt(**{**plain, "prompt": said if isinstance(said, str) else tuple(said)})


def plain_opening(messages: Any, tools: Sequence[Mapping[str, Any]], choices: Any = ()) -> dict[str, Any]:
    """Convert what `reset` returned, and what can be done then. Raises NonsenseError if it is no conversation."""
    if isinstance(messages, str) or not isinstance(messages, Sequence) or not messages:
        raise NonsenseError(f"reset returned {_shown(messages)}, but a list of messages is expected")
    return {
        "messages": [_message("reset", m) for m in messages],
        "tools": list(tools),
        "choices": plain_choices(choices),
    }


def opening_of(plain: Any) -> Opening:
    """Rebuild an opening. Raises NonsenseError for anything else: a process may send anything."""
    if not isinstance(plain, Mapping) or plain.keys() != {"messages", "tools", "choices"}:
        raise NonsenseError("no opening")
    checked = plain_opening(**plain)
    return Opening(tuple(checked["messages"]), tuple(checked["tools"]), tuple(checked["choices"]))


def plain_outcome(outcome: Any) -> dict[str, Any]:
    """Convert what `step` returned. Raises NonsenseError, with what is expected, if it makes no sense."""
    if not isinstance(outcome, Outcome):
        raise NonsenseError(f"step returned {_shown(outcome)}, but an Outcome is expected")
    messages = outcome.messages
    if isinstance(messages, str | Mapping) or not isinstance(messages, Sequence):
        raise NonsenseError(f"Outcome.messages is {_shown(messages)}, but a tuple of messages is expected")
    if not isinstance(outcome.done, bool):
        raise NonsenseError(f"Outcome.done is {_shown(outcome.done)}, but must be True or False")
    if not isinstance(outcome.info, Mapping):
        raise NonsenseError(f"Outcome.info is {_shown(outcome.info)}, but a mapping is expected")
    if not messages and not outcome.done:
        raise NonsenseError("an Outcome without messages is only possible with done=True: the policy would speak twice")
    try:
        reward = None if outcome.reward is None else number(outcome.reward) + 0.0  # of -0.0 it makes 0.0
    except ValueError as error:
        raise NonsenseError(f"Outcome.reward is {_shown(outcome.reward)}: {error}") from None
    said = [_message("Outcome.messages", m) for m in messages]
    told = {"messages": said, "reward": reward, "done": outcome.done, "info": _note(outcome.info)}
    return {**told, "choices": plain_choices(outcome.choices)}


def outcome_of(plain: Any) -> Outcome:
    """Rebuild an outcome. Raises NonsenseError for anything else."""
    if not isinstance(plain, Mapping) or plain.keys() != {"messages", "reward", "done", "info", "choices"}:
        raise NonsenseError("no outcome")
    checked = plain_outcome(Outcome(**plain))
    return Outcome(**{**checked, "messages": tuple(checked["messages"]), "choices": tuple(checked["choices"])})


def plain_choices(choices: Any) -> list[str]:
    """Convert what `choices` returned. Raises NonsenseError for anything but different texts."""
    if isinstance(choices, str) or not isinstance(choices, Sequence) or not all(isinstance(c, str) for c in choices):
        raise NonsenseError(f"choices returned {_shown(choices)}, but a list of texts is expected")
    if len(set(choices)) < len(choices) or "" in choices:
        raise NonsenseError(f"choices returned {_shown(choices)}, but different texts that are not empty are expected")
    return list(choices)


def _message(where: str, message: Any) -> dict[str, Any]:
    if not isinstance(message, Mapping):
        raise NonsenseError(f"{where} has {_shown(message)}, but a message is a mapping with role and content")
    if not isinstance(message.get("role"), str):
        raise NonsenseError(f"{where} has a message without a role: {_shown(dict(message))}")
    if not isinstance(message.get("content", ""), str | list | tuple | None):
        raise NonsenseError(f"{where} has a message whose content is no text: {_shown(dict(message))}")
    try:
        plain: dict[str, Any] = json.loads(json.dumps({str(key): value for key, value in message.items()}))
    except (TypeError, ValueError, RecursionError) as error:
        raise NonsenseError(f"{where} has a message that is no plain data ({error}): {_shown(dict(message))}") from None
    return plain


def _note(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, list | tuple):
        return [_note(item) for item in value]
    if isinstance(value, Mapping):
        return {str(name): _note(item) for name, item in value.items()}
    return str(value)[:_NOTE]


def _shown(value: Any) -> str:
    return f"{type(value).__name__} {reprlib.repr(value)}"
