"""Whether the whole completion matches a pattern."""

from __future__ import annotations

import re

from posttrain.errors import ConfigError


def regex_format(
    prompts: list[str],  # noqa: ARG001 -- every reward takes the prompts
    completions: list[str],
    *,
    pattern: str,
) -> list[float | None]:
    r"""1.0 where all of the completion matches, else 0.0: `<think>.*</think>\s*<answer>.*</answer>\s*`.

    A dot matches a line break too (DOTALL). White space at the ends counts. A pattern that backtracks forever is
    stopped by the deadline of the scorer, as an error of that completion.

    Settings:
        pattern: regular expression that the whole completion must match; any that Python's `re` compiles.
    """
    try:
        form = re.compile(pattern, re.DOTALL)
    except re.error as error:
        raise ConfigError(f"regex_format: pattern {pattern!r} is no regular expression: {error}") from error
    return [float(form.fullmatch(completion) is not None) for completion in completions]
