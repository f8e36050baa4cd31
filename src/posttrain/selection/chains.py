"""Chains of turns with an environment: which turn of a chain that failed is worse than one of a chain that did not.

(x, m_1 … m_k;  y_w ≻ y_l)    where both follow the same messages, y_w in a chain that ended right, y_l in none of these
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from posttrain.data.collate import groups
from posttrain.records import Episode, Pair, Sampled, Segment, Turns
from posttrain.seeds import seed_for
from posttrain.selection.answers import identity, reward_of, scored
from posttrain.turns import turns_of_models

MALFORMED = ("unread", "unknown", "arguments")  # what the info of tool environments counts, beside `calls`


@dataclass(frozen=True)
class Turn:
    """What the policy said in a chain, and the messages before it."""

    chain: Episode
    before: Turns
    said: Segment


def turn_pairs(chains: Iterable[Episode], accepted: float = 0.0) -> list[Pair]:
    """Return pairs of turns behind the same messages, from chains with a reward above `accepted` and from others.

    No text of a turn is in two pairs of the same place; a turn that is in a right chain, too, is never the worse one.
    """
    pairs = []
    for group in groups(chains):
        right = _by_place(e for e in scored(group) if reward_of(e) > accepted)
        played = _by_place(scored(group))
        for place, good in right.items():
            bad = [turn for text, turn in played[place].items() if text not in good]
            pairs += [_pair(*two) for two in zip(good.values(), bad, strict=False)]
    return pairs


def _by_place(chains: Iterable[Episode]) -> dict[str, dict[str, Turn]]:
    """Return the first turn with each text, by the messages before it."""
    found: dict[str, dict[str, Turn]] = {}
    for e in chains:
        for turn in turns_of(e):
            place = json.dumps(turn.before)
            found.setdefault(place, {}).setdefault(turn.said.text, turn)
    return found


def turns_of(e: Episode) -> list[Turn]:
    """Return the turns of an episode; an answer outside an environment is one."""
    said = turns_of_models(e)
    if not e.conversation:
        return [Turn(e, e.prompt.prompt, s) for s in said]
    places = [i for i, message in enumerate(e.conversation) if message["role"] == "assistant"]
    return [Turn(e, e.conversation[:i], s) for i, s in zip(places[len(places) - len(said) :], said, strict=True)]


def _pair(good: Turn, bad: Turn) -> Pair:
    columns = {"chosen_reward": good.chain.reward, "rejected_reward": bad.chain.reward}
    return Pair(
        seed_for("turns", identity(good.chain, bad.chain), len(good.before)),
        good.before,
        Sampled(good.said.tokens, good.said.text),
        Sampled(bad.said.tokens, bad.said.text),
        columns,
        good.chain.prompt.where,
        _arguments(good.chain),
    )


def _arguments(e: Episode) -> Mapping[str, Any]:
    """Return what the chat template reads beside the messages: of tools those that it was given."""
    if not e.conversation:
        return e.prompt.arguments
    others = {name: value for name, value in e.prompt.arguments.items() if name != "tools"}
    return {**others, "tools": list(e.tools)} if e.tools else others


def malformed(chains: Iterable[Episode]) -> dict[str, float]:
    """Return the share of calls that could not be read, or did not fit a tool; nothing where there was no call."""
    infos: list[Mapping[str, Any]] = [info for e in chains for info in e.notes.get("environment", ())]
    calls = sum(info.get("calls", 0) for info in infos)
    wrong = sum(info.get(name, 0) for info in infos for name in MALFORMED)
    return {"malformed_calls": wrong / calls} if calls else {}
