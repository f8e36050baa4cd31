"""Sessions with an environment behind a server that speaks OpenEnv's protocol: reset, step and close, in JSON.

Over a WebSocket (`/ws`) every connection has an environment of its own. Over HTTP (`/reset`, `/step`) there is one for
all, and today's servers make a new one for each request: it is for older servers that keep theirs.
"""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit

from posttrain.errors import ConfigError, MissingExtraError

_LARGEST = 1 << 23  # bytes of an answer
_REFUSED = "VALIDATION_ERROR"


class SessionError(Exception):
    """The server did not answer, or said that it failed."""


class InvalidActionError(Exception):
    """The server does not take this action: what was written does not fit its schema."""


class Session(ABC):
    """One episode at a server. Each request has `timeout` seconds."""

    def __init__(self, url: str, timeout: float) -> None:
        if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
            raise ConfigError(f"url is {url!r:.200}, but must begin with http:// or https:// and name a host")
        self.url = url.rstrip("/")
        self.timeout = timeout

    def reset(self, **settings: Any) -> Mapping[str, Any]:
        """Begin an episode. Returns observation, reward and done."""
        return _checked(self.ask("reset", settings), self.url)

    def step(self, action: Mapping[str, Any]) -> Mapping[str, Any]:
        """Take an action. Returns observation, reward and done. Raises InvalidActionError for one that does not fit."""
        return _checked(self.ask("step", action), self.url)

    @abstractmethod
    def ask(self, kind: str, data: Mapping[str, Any]) -> Any:
        """Send a request and return the answer. Raises SessionError where there is none."""

    def close(self) -> None:  # noqa: B027 -- HTTP keeps nothing open
        """End the session."""


class HttpSession(Session):
    """Requests to a server that keeps its environment between them."""

    def ask(self, kind: str, data: Mapping[str, Any]) -> Any:
        body = json.dumps({"action": data} if kind == "step" else data).encode()
        request = urllib.request.Request(  # noqa: S310 -- the scheme is checked above
            f"{self.url}/{kind}", body, {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=self.timeout) as reply:  # noqa: S310
                return _decoded(reply.read(_LARGEST + 1), self.url)
        except urllib.error.HTTPError as error:
            said = error.read(2000).decode(errors="replace")
            if error.code == 422 and kind == "step":
                raise InvalidActionError(said) from None
            raise SessionError(f"{self.url}/{kind}: status {error.code}: {said:.200}") from None
        except (OSError, http.client.HTTPException) as error:
            raise SessionError(f"{self.url}/{kind}: {error or type(error).__name__}") from error


class WebSocketSession(Session):
    """A connection with an environment of its own at the other end."""

    def __init__(self, url: str, timeout: float) -> None:
        super().__init__(url, timeout)
        try:
            from websockets.exceptions import WebSocketException
            from websockets.sync.client import connect
        except ModuleNotFoundError as error:
            raise MissingExtraError("the environment openenv", "openenv") from error
        self.failures = (OSError, WebSocketException)
        self.opened = ExitStack()
        try:
            address = f"ws{self.url.removeprefix('http')}/ws"
            opened = connect(address, open_timeout=timeout, close_timeout=1, max_size=_LARGEST)
            self.connection = self.opened.enter_context(opened)
        except self.failures as error:
            raise SessionError(f"{self.url}/ws: {error or type(error).__name__}") from error

    def ask(self, kind: str, data: Mapping[str, Any]) -> Any:
        try:
            self.connection.send(json.dumps({"type": kind, "data": data}))
            answer = _decoded(self.connection.recv(timeout=self.timeout), self.url)
        except self.failures as error:
            raise SessionError(f"{self.url}/ws: {kind}: {error or type(error).__name__}") from error
        said = answer.get("data") if isinstance(answer, Mapping) else None
        if not isinstance(said, Mapping) or answer.get("type") not in ("observation", "error"):
            raise SessionError(f"{self.url}/ws: {answer!r:.200} is neither an observation nor an error")
        if answer["type"] == "error":
            message = str(said.get("message", said))
            if said.get("code") == _REFUSED and kind == "step":
                raise InvalidActionError(message)
            raise SessionError(f"{self.url}/ws: {kind}: {message:.200}")
        return said

    def close(self) -> None:
        self.opened.close()


SESSIONS: Mapping[str, type[Session]] = {"websocket": WebSocketSession, "http": HttpSession}


def _decoded(text: str | bytes, where: str) -> Any:
    try:
        if len(text) > _LARGEST:
            raise ValueError("it is too long")
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SessionError(f"{where}: an answer that cannot be read: {error}") from None


def _checked(answer: Any, where: str) -> Mapping[str, Any]:
    """Return an answer of the form that the protocol gives it. Raises SessionError for any other."""
    reward = answer.get("reward") if isinstance(answer, Mapping) else None
    if not isinstance(answer, Mapping) or not isinstance(answer.get("observation"), Mapping):
        raise SessionError(f"{where}: {answer!r:.200} holds no observation")
    if reward is not None and not (isinstance(reward, int | float) and abs(reward) < float("inf")):
        raise SessionError(f"{where}: the reward is {reward!r:.80}")
    if not isinstance(answer.get("done", False), bool):
        raise SessionError(f"{where}: done is {answer['done']!r:.80}")
    return answer
