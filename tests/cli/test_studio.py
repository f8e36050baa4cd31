"""`posttrain studio`: accounts are made before it opens, and it says what is missing."""

from functools import partial

from argon2 import PasswordHasher
from typer.testing import CliRunner

from posttrain.cli.main import app
from posttrain.errors import ConfigError, StorageError
from posttrain.studio.access.accounts import Accounts
from posttrain.studio.database import Database


def call(*arguments, **how):
    return CliRunner().invoke(app, ["studio", *map(str, arguments)], catch_exceptions=True, **how)


def test_accounts(tmp_path, monkeypatch):
    monkeypatch.setattr("argon2.PasswordHasher", partial(PasswordHasher, time_cost=1, memory_cost=64, parallelism=1))
    made = call(tmp_path, "--add", "ann:annotator", input="a long password\na long password\n")
    assert "added ann, annotator" in made.output
    accounts = Accounts(Database(tmp_path / "annotations" / "studio.sqlite"))
    assert accounts.role_of("ann", "a long password") == "annotator"
    call(tmp_path, "--remove", "ann")
    assert accounts.listed() == []


def test_what_is_wrong_is_said(tmp_path):
    assert isinstance(call(tmp_path / "none").exception, StorageError)
    assert isinstance(call(tmp_path, "--host", "0.0.0.0").exception, ConfigError)
