"""Requests to verify an answer, whose own right answer is what a verifier said."""

from __future__ import annotations

from collections.abc import Sequence

from posttrain.data.collate import groups
from posttrain.records import Episode, Prompt
from posttrain.selection.answers import identity, reward_of
from posttrain.turns import last_message


def requests(answers: Sequence[Episode], count: int, text: str, column: str, threshold: float) -> list[Prompt]:
    """Return requests to verify the first `count` answers to each prompt.

    `text`: the request, where {question} and {answer} are filled in. `column`: the column that gets "1" where the
    reward exceeds the threshold and "0" elsewhere; the other columns are those of the prompt.
    """
    return [_request(r, text, column, threshold) for group in groups(answers) for r in group[:count]]


def _request(r: Episode, text: str, column: str, threshold: float) -> Prompt:
    asked = text.replace("{question}", last_message(r.prompt.prompt)).replace("{answer}", r.text)
    verdict = {column: "1" if reward_of(r) > threshold else "0"}
    prompt = asked if isinstance(r.prompt.prompt, str) else ({"role": "user", "content": asked},)
    return Prompt(identity(r), prompt, {**r.prompt.columns, **verdict}, r.prompt.where)
