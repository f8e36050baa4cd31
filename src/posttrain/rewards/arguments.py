"""From episodes to the arguments of a reward function, in the form that it takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from posttrain.errors import DataError
from posttrain.records import Episode, Message
from posttrain.rewards.reads import TOKENS, TURNS
from posttrain.rewards.reward import Reward, lacking
from posttrain.turns import content, conversation, is_prefilled, last_user_message, turn_ends

OPPONENT = "opponent"  # the column of another answer to the same prompt


def arguments(reward: Reward, episodes: Sequence[Episode]) -> dict[str, list[Any]]:
    """Return a list with one value per episode for each argument. Raises DataError for a column that is missing."""
    reads = reward.reads
    if reads.form == "verl":
        return _verl(reward, episodes)
    trl = reads.form == "trl"
    read = [_messages(reward, e) if trl else reward.passage.of(e.text) for e in episodes]
    made: dict[str, list[Any]] = {"completions": read}
    if reads.prompts:
        asked = [_whole(e) if trl else last_user_message(e.prompt.prompt) for e in episodes]
        made["prompts"] = asked
    if reads.conversations:
        made["conversations"] = [_conversation(reward, e) for e in episodes]
    if reads.tokens and reward.passage.is_whole:
        made[TOKENS] = [list(e.tokens) for e in episodes]
    if reads.turns:
        made[TURNS] = [[e.segments[i].reward for i in turn_ends(e) if e.segments[i].tokens] for e in episodes]
    present = dict.fromkeys(name for e in episodes for name in e.prompt.columns if reads.chooses(name))
    for name in dict.fromkeys((*reads.required, *present)):
        made[name] = [_column(reward, e, name) for e in episodes]
    return made


def _whole(episode: Episode) -> Any:
    """A prompt as TRL gives it: all messages of a conversation but a prefilled answer, or a text."""
    prompt = episode.prompt.prompt
    if isinstance(prompt, str):
        return prompt
    return [dict(m) for m in (prompt[:-1] if is_prefilled(prompt) else prompt)]


def _messages(reward: Reward, episode: Episode) -> Any:
    """A completion as TRL gives it: a list of one message after a conversation, a text after a text.

    The message holds the words that the prompt begins it with. In an environment the list goes on to the last message.
    """
    if episode.conversation:
        turns = [i for i, m in enumerate(episode.conversation) if m.get("role") == "assistant"]
        own = len(turn_ends(episode))
        return [dict(m) for m in episode.conversation[turns[-own] :]]
    if isinstance(episode.prompt.prompt, str):
        return reward.passage.of(episode.text)
    return [dict(_conversation(reward, episode)[-1])]


def _conversation(reward: Reward, episode: Episode) -> tuple[Message, ...]:
    if episode.conversation:
        return episode.conversation
    *before, last = conversation(episode.prompt.prompt, episode.text)
    return *before, {**last, "content": reward.passage.of(content(last))}


def _verl(reward: Reward, episodes: Sequence[Episode]) -> dict[str, list[Any]]:
    """verl's arguments. Its files have the ground truth in the column `reward_model`; any other has its own column."""
    made: dict[str, list[Any]] = {"completions": [reward.passage.of(e.text) for e in episodes]}
    for name in (*reward.reads.required, *reward.reads.optional):
        made[name] = [_of_verl(reward, e, name) for e in episodes]
    return made


def _of_verl(reward: Reward, episode: Episode, name: str) -> Any:
    columns = episode.prompt.columns
    nested = columns.get("reward_model")
    if name == "ground_truth" and isinstance(nested, Mapping) and name in nested:
        return nested[name]
    if name == "extra_info" and columns.get(name) is None:
        return {}
    return _column(reward, episode, name)


def _column(reward: Reward, episode: Episode, name: str) -> Any:
    """A column that the function can do without is None where a row lacks it. Of another answer it reads the same part
    as of the answer."""
    prompt = episode.prompt
    if name == OPPONENT and isinstance(other := prompt.columns.get(name), str):
        return reward.passage.of(other)
    if name not in prompt.columns and name in reward.reads.required:
        raise DataError(lacking(reward, name, prompt.columns, prompt.where or f"prompt {prompt.id}"))
    return prompt.columns.get(name)
