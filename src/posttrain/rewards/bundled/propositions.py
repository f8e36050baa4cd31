"""Rule Based Rewards for Language Model Safety (Mu et al., 2024): RBR.

    R(x, y) = Σ_i w_i P(proposition i holds of x, y)

A model says how probable each proposition is: "the answer apologises", "the answer tells how to do harm". The sum is
added to the score of a reward model, as any two rewards of a run file are. The procedure feedback/rbr fits the weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from posttrain.errors import ConfigError
from posttrain.judges.propositions import HOLDS, YES_OR_NO, questions
from posttrain.rewards.workers.outcome import Scores

if TYPE_CHECKING:
    from posttrain.roles.protocol import TextRole


def propositions(
    prompts: list[str],
    completions: list[str],
    *,
    model: TextRole,
    weights: Mapping[str, float],
    question: str = HOLDS,
) -> Scores:
    """Weighted sum of the probabilities that the propositions hold. `rewards/propositions/proposition_K` is the K-th's.

    Settings:
        model: name of one of `models` that is asked, or a mapping of the keys of `models`; it writes text.
        weights: any {proposition: weight}, negative for what an answer should not be.
        question: question to the model; a text with {proposition}, {prompt} and {answer}.
    """
    if not weights:
        raise ConfigError("propositions: weights names no proposition; write {proposition: weight}")
    asked = [
        turns
        for prompt, answer in zip(prompts, completions, strict=True)
        for turns in questions(weights, prompt, answer, question)
    ]
    yes = [probabilities[0] for probabilities in model.choose(asked, YES_OR_NO)]
    rows = [yes[k : k + len(weights)] for k in range(0, len(yes), len(weights))]
    columns = {f"proposition_{k + 1}": [row[k] for row in rows] for k in range(len(weights))}
    return Scores([sum(w * p for w, p in zip(weights.values(), row, strict=True)) for row in rows], **columns)
