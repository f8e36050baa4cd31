"""Serve a studio at an address, and say where."""

from __future__ import annotations

import getpass
import ipaddress
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from posttrain.errors import ConfigError, MissingExtraError
from posttrain.studio.access.roles import OWNER
from posttrain.studio.app import application
from posttrain.studio.studio import Studio

LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Address:
    """Where a studio listens. `names`: further host names under which browsers may ask for it."""

    host: str = "127.0.0.1"
    port: int = 8642
    certificate: Path | None = None
    key: Path | None = None
    unencrypted: bool = False
    names: tuple[str, ...] = ()

    @property
    def local(self) -> bool:
        """Whether only this machine can reach it."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @property
    def hosts(self) -> frozenset[str]:
        """The host names that are answered: a page of another name has been sent here by somebody else's DNS."""
        own = LOOPBACK if self.local else (self.host, socket.gethostname().lower())
        return frozenset({*own, *(name.lower() for name in self.names)})

    def check(self, studio: Studio) -> None:
        """Raise ConfigError for an address that would let strangers in or passwords out."""
        if (self.certificate is None) != (self.key is None):
            raise ConfigError("--certificate and --key belong together")
        for file in (self.certificate, self.key):
            if file is not None and not file.is_file():
                raise ConfigError(f"{file}: no such file")
        if not self.local and not studio.login:
            raise ConfigError(
                f"--host {self.host}: others can reach it; add --login, and accounts with --add NAME:ROLE"
            )
        if not self.local and self.certificate is None and not self.unencrypted:
            raise ConfigError(
                f"--host {self.host}: passwords would travel in the clear; give --certificate and --key, or "
                "--unencrypted where something else encrypts"
            )
        if studio.login and not studio.accounts.listed():
            raise ConfigError("--login: there is no account yet; make one with --add NAME:owner")

    def bound(self) -> socket.socket:
        """Listen. ConfigError if the port is taken."""
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((self.host, self.port))
            listener.listen(128)  # whoever follows the link before the server runs waits, and is not refused
        except OSError as error:
            listener.close()
            raise ConfigError(
                f"{self.host}:{self.port}: {error.strerror}; stop what listens there, or take a free port: --port 0"
            ) from None
        return listener


def serve(studio: Studio, address: Address, say: Callable[[str], None]) -> None:
    """Serve until a signal comes. `say` gets the link to enter by."""
    try:
        import uvicorn
    except ImportError:
        raise MissingExtraError("posttrain studio", "studio") from None
    address.check(studio)
    listener = address.bound()
    port = listener.getsockname()[1]
    app: Any = application(studio, address.hosts, cookie=f"posttrain_studio_{port}")
    scheme = "http" if address.certificate is None else "https"
    host = f"[{address.host}]" if ":" in address.host else address.host
    door = "login" if studio.login else f"enter?token={studio.sessions.link(user(), OWNER)}"
    say(f"studio   {scheme}://{host}:{port}/{door}")
    if not studio.login:
        say("         the link works once, within an hour; Ctrl-C ends the studio")
    tls = {"ssl_certfile": address.certificate, "ssl_keyfile": address.key} if address.certificate else {}
    # without an access log, which would hold the link
    settings = uvicorn.Config(
        app, log_level="warning", access_log=False, server_header=False, timeout_graceful_shutdown=1, **tls
    )
    try:
        uvicorn.Server(settings).run(sockets=[listener])
    finally:
        listener.close()


def user() -> str:
    """Return the name of whoever started the studio."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return OWNER
