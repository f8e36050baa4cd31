"""Accounts: argon2 hashes, no default, and no hurry for whoever guesses."""

from functools import partial

import pytest
from argon2 import PasswordHasher

from posttrain.errors import ConfigError
from posttrain.studio.access.throttle import Throttle
from tests.studio.site import Browser, open_studio

PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def cheap(monkeypatch):
    """Hashes that cost no time."""
    cost = {"time_cost": 1, "memory_cost": 64, "parallelism": 1}
    monkeypatch.setattr("argon2.PasswordHasher", partial(PasswordHasher, **cost))


@pytest.fixture
def studio(tmp_path):
    studio = open_studio(tmp_path, login=True)
    studio.accounts.add("ann", "viewer", PASSWORD)
    return studio


def log_in(studio, code, name="ann", password=PASSWORD):
    browser = Browser(studio, enter=False)
    browser.post("/login", code, name=name, password=password)
    return browser


def test_name_and_password_open_a_session(studio):
    browser = log_in(studio, 200)
    browser.get("/runs")
    log_in(studio, 403, password="wrong horse battery")
    log_in(studio, 403, name="nobody")
    assert studio.database.read("SELECT password FROM accounts")[0][0].startswith("$argon2id$")


@pytest.mark.fault("U6")
def test_who_guesses_waits(studio, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(studio.throttle, "_clock", lambda: now[0])
    for _ in range(5):
        log_in(studio, 403, password="guess")
    log_in(studio, 429)  # even with the right password
    now[0] += 2
    log_in(studio, 200)


def test_waits_double_and_end():
    now = [0.0]
    throttle = Throttle(lambda: now[0])
    for _ in range(8):
        throttle.failed("x")
    assert throttle.wait("x") == 8
    assert throttle.wait("y") == 0
    throttle.succeeded("x")
    assert throttle.wait("x") == 0


@pytest.mark.parametrize(
    ("name", "role", "password"),
    [
        ("ann", "viewer", PASSWORD),
        ("<script>", "owner", PASSWORD),
        ("bob", "admin", PASSWORD),
        ("bob", "owner", "short"),
    ],
)
def test_what_is_no_account(studio, name, role, password):
    with pytest.raises(ConfigError):
        studio.accounts.add(name, role, password)


def test_without_login_no_password_counts(tmp_path):
    studio = open_studio(tmp_path)
    Browser(studio, enter=False).post("/login", 404, name="ann", password=PASSWORD)
    assert not (tmp_path / "annotations").exists()
