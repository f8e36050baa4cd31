"""Conversations of several policies, seen by each of them: the others' turns are read like what an environment says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from posttrain.records import Episode
from posttrain.seeds import seed_for


def perspectives(episode: Episode, rewards: Mapping[int, float | None]) -> list[Episode]:
    """Return a conversation once for each author in `rewards`: only its own turns are trained, with its own reward.

    The prompt gets an id of its own for each author, so that a method compares an author with itself alone. Policies
    that share weights learn from all of them: their gradients add up.
    """
    made = []
    for author, reward in rewards.items():
        segments = tuple(s if s.author == author else replace(s, trained=False) for s in episode.segments)
        prompt = replace(episode.prompt, id=seed_for("perspective", episode.prompt.id, author))
        made.append(replace(episode, prompt=prompt, author=author, segments=segments, reward=reward))
    return made
