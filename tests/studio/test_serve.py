"""Addresses: this machine alone by default, others only with a login and encryption."""

import socket
from functools import partial

import pytest
from argon2 import PasswordHasher

from posttrain.errors import ConfigError
from posttrain.studio.serve import Address
from tests.studio.site import open_studio


def test_this_machine_needs_no_account(tmp_path):
    for host in ("127.0.0.1", "localhost", "::1"):
        Address(host).check(open_studio(tmp_path))
    assert Address().hosts == {"localhost", "127.0.0.1", "::1"}


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


def test_a_port_that_is_taken_is_named():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(ConfigError, match="--port 0"):
            Address(port=other.getsockname()[1]).bound()
