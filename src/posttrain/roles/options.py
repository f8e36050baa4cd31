"""The options that a text role chooses between."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from posttrain.errors import ConfigError
from posttrain.roles.protocol import Options


def options_of_each(options: Options, count: int) -> list[tuple[str, ...]]:
    """Return the options of each of `count` conversations. Raises ConfigError if they cannot be told apart."""
    if all(isinstance(option, str) for option in options):
        lists = [tuple(cast("Sequence[str]", options))] * count
    else:
        lists = [tuple(own) for own in options]
    if len(lists) != count:
        raise ConfigError(f"choose: there are {len(lists)} lists of options for {count} conversations")
    for own in dict.fromkeys(lists):
        if not own or not all(isinstance(option, str) and option for option in own) or len(set(own)) < len(own):
            raise ConfigError(f"choose: options are different texts that are not empty, not {list(own)!r:.200}")
    return lists
