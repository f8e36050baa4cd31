"""Sessions of browsers, and links that work once. Both live in memory: a new server knows nobody."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

LIFETIME = 12 * 3600.0  # seconds without a request after which a session ends
LINK_LIFETIME = 3600.0  # seconds in which a link is good


@dataclass
class Session:
    """A browser that has shown who it is. `csrf` stands in every form that changes something."""

    name: str
    role: str
    csrf: str
    seen: float


class Sessions:
    """Knows secrets by their hashes alone, so that a dump of its memory opens no door."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._sessions: dict[str, Session] = {}
        self._links: dict[str, tuple[str, str, float]] = {}

    def link(self, name: str, role: str) -> str:
        """Make the token of a link that opens one session of this person."""
        token = secrets.token_urlsafe(32)
        self._links[hashed(token)] = (name, role, self._clock() + LINK_LIFETIME)
        return token

    def follow(self, token: str) -> str | None:
        """Use up a token; return the cookie of a new session, or None if it is wrong, used or too old."""
        name, role, until = self._links.pop(hashed(token), ("", "", 0.0))
        return self.open(name, role) if name and self._clock() < until else None

    def open(self, name: str, role: str) -> str:
        """Begin a session with a new secret, whatever cookie the browser had; return the secret."""
        cookie = secrets.token_urlsafe(32)
        self._sessions[hashed(cookie)] = Session(name, role, secrets.token_urlsafe(32), self._clock())
        return cookie

    def of(self, cookie: str) -> Session | None:
        """Return the session of a cookie and keep it alive; None if there is none any more."""
        session = self._sessions.get(hashed(cookie))
        if session is None or self._clock() - session.seen > LIFETIME:
            self.close(cookie)
            return None
        session.seen = self._clock()
        return session

    def close(self, cookie: str) -> None:
        """End a session."""
        self._sessions.pop(hashed(cookie), None)

    def close_all(self, name: str) -> None:
        """End all sessions of a person, such as one whose account was removed, and void the links for them."""
        self._sessions = {key: s for key, s in self._sessions.items() if s.name != name}
        self._links = {key: link for key, link in self._links.items() if link[0] != name}


def hashed(secret: str) -> str:
    """Return the name under which a secret is known."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
