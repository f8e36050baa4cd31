"""A score from a reward model that reads a critique of the answer, which a critic writes (judges/critiques.py)."""

from __future__ import annotations

from statistics import fmean
from typing import TYPE_CHECKING

from posttrain.judges.critiques import REQUEST, with_critique
from posttrain.judges.options import filled

if TYPE_CHECKING:
    from posttrain.records import Message
    from posttrain.roles.protocol import Score, TextRole


def criticised(
    prompts: list[str],
    completions: list[str],
    conversations: list[tuple[Message, ...]],
    *,
    model: TextRole,
    critic: TextRole,
    request: str = REQUEST,
    critiques: int = 1,
    max_tokens: int = 256,
) -> list[Score]:
    """Mean score of an answer over several critiques of it. A score that fails fails its answer.

    Settings:
        model: path of the reward model; a mapping of the keys of `models`; or the name of one of `models`.
        critic: the model that criticises; any of the same.
        request: request for a critique; any text, where {prompt} and {answer} are filled in.
        critiques: critiques of each answer; at least 1, where more give less noise.
        max_tokens: limit of a critique in tokens; at least 1.
    """
    asked = [
        ({"role": "user", "content": filled(request, prompt=x, answer=y)},)
        for x, y in zip(prompts, completions, strict=True)
    ]
    said = critic.ask(asked, samples=critiques, max_tokens=max_tokens)
    read = [
        (*turns[:-1], {**turns[-1], "content": with_critique(y, c)})
        for turns, y, own in zip(conversations, completions, said, strict=True)
        for c in own
    ]
    scores = model.score(read)
    return [_mean(scores[i : i + critiques]) for i in range(0, len(scores), critiques)]


def _mean(scores: list[Score]) -> Score:
    bad = [x for x in scores if not isinstance(x, float)]
    return bad[0] if bad else fmean(x for x in scores if isinstance(x, float))
