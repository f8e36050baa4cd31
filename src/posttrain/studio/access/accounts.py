"""Accounts with passwords, for addresses that others can reach. There is no account and no password by default."""

from __future__ import annotations

import re
import sqlite3
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from posttrain.errors import ConfigError, MissingExtraError, suggestion
from posttrain.studio.access.roles import ROLES

if TYPE_CHECKING:
    from posttrain.studio.database import Database

NAME = re.compile(r"[\w.@+-]{1,64}")
SHORTEST = 10  # characters of a password
LONGEST = 1024


class Accounts:
    """The accounts of a database. Passwords are kept as argon2id hashes."""

    def __init__(self, database: Database) -> None:
        try:
            from argon2 import PasswordHasher
        except ImportError:
            raise MissingExtraError("a login with a password", "studio") from None
        self._database = database
        self._hasher = PasswordHasher()
        self._nobody = self._hasher.hash("nobody has this password")

    def add(self, name: str, role: str, password: str) -> None:
        """Make an account. ConfigError for a name that is taken or odd, an unknown role, or a short password."""
        if not NAME.fullmatch(name):
            raise ConfigError(f"account {name!r}: use up to 64 letters, digits, '.', '_', '-', '@' and '+'")
        if role not in ROLES:
            raise ConfigError(f"role {role!r}: one of {', '.join(ROLES)}{suggestion(role, ROLES)}")
        if not SHORTEST <= len(password) <= LONGEST:
            raise ConfigError(f"the password of {name} must have {SHORTEST} to {LONGEST} characters")
        made = (name, role, self._hasher.hash(password), datetime.now(UTC).isoformat(timespec="seconds"))
        try:
            with self._database.change() as db:
                db.execute("INSERT INTO accounts (name, role, password, created) VALUES (?, ?, ?, ?)", made)
        except sqlite3.IntegrityError:
            raise ConfigError(f"account {name!r} exists; remove it first, or choose another name") from None

    def remove(self, name: str) -> None:
        """Remove an account. What its person has said stays."""
        with self._database.change() as db:
            db.execute("DELETE FROM accounts WHERE name = ?", (name,))

    def listed(self) -> list[tuple[str, str, str]]:
        """Return name, role and time of every account, by name."""
        return [tuple(row) for row in self._database.read("SELECT name, role, created FROM accounts ORDER BY name")]

    def role_of(self, name: str, password: str) -> str | None:
        """Return the role of whoever knows this name and password; None else, after the same time."""
        from argon2.exceptions import Argon2Error, InvalidHashError

        rows = self._database.read("SELECT role, password FROM accounts WHERE name = ?", (name,))
        role, known = rows[0] if rows else (None, self._nobody)
        try:
            self._hasher.verify(known, password[: LONGEST + 1])
        except (Argon2Error, InvalidHashError):
            return None
        return role
