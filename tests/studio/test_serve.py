"""Addresses: this machine alone by default, others only with a login and encryption."""

import re
import socket
import sys
from functools import partial

import pytest
from argon2 import PasswordHasher
from starlette.testclient import TestClient

from posttrain.errors import ConfigError, MissingExtraError
from posttrain.studio.serve import Address, serve
from tests.studio.site import open_studio


def test_this_machine_needs_no_account(tmp_path):
    for host in ("127.0.0.1", "localhost", "::1"):
        Address(host).check(open_studio(tmp_path))
    assert Address().hosts == {"localhost", "127.0.0.1", "::1"}


@pytest.mark.fault("U9")
@pytest.mark.parametrize(
    ("address", "login", "words"),
    [
        (Address("0.0.0.0"), False, "--login"),
        (Address("0.0.0.0"), True, "--unencrypted"),
        (Address("0.0.0.0", unencrypted=True), True, "no account"),
        (Address("example.org"), False, "--login"),
    ],
)
def test_other_addresses_are_refused_until_they_are_safe(tmp_path, monkeypatch, address, login, words):
    monkeypatch.setattr("argon2.PasswordHasher", partial(PasswordHasher, time_cost=1, memory_cost=64, parallelism=1))
    with pytest.raises(ConfigError, match=words):
        address.check(open_studio(tmp_path, login=login))


def test_half_a_certificate(tmp_path):
    with pytest.raises(ConfigError, match="belong together"):
        Address(certificate=tmp_path).check(open_studio(tmp_path))


@pytest.mark.fault("U9")
def test_a_port_that_is_taken_is_named():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(ConfigError, match="--port 0"):
            Address(port=other.getsockname()[1]).bound()


def test_the_link_that_is_printed_opens_a_session(tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr("uvicorn.Server.run", lambda server, sockets: said.append((server.config.app, sockets)))
    studio = open_studio(tmp_path)
    serve(studio, Address(port=0), said.append)
    link, _, (app, (listener,)) = said
    base, token = re.search(r"(http://127\.0\.0\.1:(?:\d+))(/enter\?token=\S+)", link).groups()
    with TestClient(app, base_url=base) as browser:
        entered = browser.get(token, follow_redirects=False)
        assert entered.headers["set-cookie"].startswith(f"posttrain_studio_{base.rpartition(':')[2]}=")
        assert browser.get("/runs").status_code == 200
    assert listener.fileno() == -1  # closed at the end


def test_with_accounts_no_link_is_printed(tmp_path, monkeypatch):
    monkeypatch.setattr("argon2.PasswordHasher", partial(PasswordHasher, time_cost=1, memory_cost=64, parallelism=1))
    monkeypatch.setattr("uvicorn.Server.run", lambda server, sockets: None)
    studio, said = open_studio(tmp_path, login=True), []
    studio.accounts.add("ann", "owner", "a long password")
    serve(studio, Address(port=0), said.append)
    assert said[0].endswith("/login")
    assert "token" not in "".join(said)


@pytest.mark.parametrize("package", ["uvicorn", "starlette.applications"])
def test_without_the_extra_it_says_which(tmp_path, monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=r"posttrain\[studio\]"):
        serve(open_studio(tmp_path), Address(port=0), print)
