"""Aligning as Debiasing: Causality-Aware Alignment via Reinforcement Learning with Interventional Feedback (Xia et al.,
2024).

What an answer is worth whatever the context says of an attribute that should not matter.

    R(x, y) = mean_a r(x_do(a), y) - λ var_a r(x_do(a), y)

x_do(a) is the prompt with the attribute set to the value a: every word of a group is replaced by the one of the same
place in another group. The paper weighs feedback by an interventional effect that it estimates with the reward model as
an instrument; the mean over interventions is our reading of it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from posttrain.errors import ConfigError
from posttrain.rewards.workers.outcome import Scores
from posttrain.turns import content

if TYPE_CHECKING:
    from posttrain.records import Message
    from posttrain.roles.protocol import Score, TextRole

Group = Sequence[str]  # the words of one value of the attribute


def interventional(
    completions: list[str],  # noqa: ARG001 -- they end the conversations
    conversations: list[tuple[Message, ...]],
    *,
    model: TextRole,
    swaps: Sequence[Group],
    variance: float = 0.0,
) -> Scores:
    """The mean score of a reward model over the prompt as it is and with its attribute set to every other value.

    `rewards/interventional/spread` is the standard deviation over the values: what the model's bias is worth.

    Settings:
        model: path of a reward model, a mapping of the keys of `models`, or the name of one of `models`.
        swaps: any list of groups of words, such as [[he, his], [she, her]]; all groups are as long.
        variance: λ, price of the variance over the values; 0 or more.
    """
    if len({len(group) for group in swaps}) != 1 or not swaps[0]:
        raise ConfigError(f"interventional: swaps is {list(swaps)!r:.80}, but must be groups of as many words each")
    versions = [counterfactuals(conversation, swaps) for conversation in conversations]
    found = iter(model.score([version for each in versions for version in each]))
    scored = [[next(found) for _ in each] for each in versions]
    means = [_mean(each, variance) for each in scored]
    return Scores(means, spread=[_spread(each) for each in scored])


def counterfactuals(conversation: Sequence[Message], swaps: Sequence[Group]) -> list[tuple[Message, ...]]:
    """Return the conversation as it is, and those that differ from it in the attribute; the answer stays."""
    made = [tuple(conversation)]
    for group in swaps:
        other = (*(_set(message, swaps, group) for message in conversation[:-1]), conversation[-1])
        if other not in made:
            made.append(other)
    return made


def _set(message: Message, swaps: Sequence[Group], group: Group) -> Message:
    """The message with every word of the groups replaced by the one of this group at the same place."""
    words = {word.lower(): new for own in swaps for word, new in zip(own, group, strict=True)}
    pattern = rf"\b({'|'.join(map(re.escape, words))})\b"
    text = re.sub(pattern, lambda m: _cased(m[0], words[m[0].lower()]), content(message), flags=re.IGNORECASE)
    return {**message, "content": text}


def _cased(old: str, new: str) -> str:
    return new.capitalize() if old[0].isupper() else new


def _mean(scores: Sequence[Score], price: float) -> Score:
    """One that failed fails the answer; one that abstained, too."""
    known = [x for x in scores if isinstance(x, float)]
    if len(known) < len(scores):
        return next(x for x in scores if not isinstance(x, float))
    mean = math.fsum(known) / len(known)
    return mean - price * math.fsum((x - mean) ** 2 for x in known) / len(known)


def _spread(scores: Sequence[Score]) -> float | None:
    known = [x for x in scores if isinstance(x, float)]
    mean = math.fsum(known) / len(known) if known else 0.0
    return math.sqrt(math.fsum((x - mean) ** 2 for x in known) / len(known)) if known else None
