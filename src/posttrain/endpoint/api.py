"""What a server is asked for: a path, and how its replies are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from posttrain.endpoint.reply import Reply, read


@dataclass(frozen=True)
class Api:
    """`path` follows the address of the endpoint. `read` makes a Reply of (content, request, endpoint.served_as).

    `root`: the path belongs to the server itself, so that a /v1 at the end of the address is left out.
    """

    path: str
    read: Callable[[bytes, Mapping[str, Any], str], Reply]
    root: bool = False

    def address(self, url: str) -> str:
        """Return where requests go."""
        return (url.removesuffix("/v1") if self.root else url) + self.path


CHAT = Api("/chat/completions", read)
