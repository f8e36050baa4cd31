"""The database: what is acknowledged is on disk, half a change is none, and a newer format is not touched."""

import sqlite3

import pytest

from posttrain.errors import StorageError
from posttrain.studio.database import VERSION, Database

ACCOUNT = ("ann", "owner", "hash", "now")
INSERT = "INSERT INTO accounts VALUES (?, ?, ?, ?)"


def test_a_commit_waits_for_the_disk_and_readers_for_nobody(tmp_path, monkeypatch):
    monkeypatch.undo()
    database = Database(tmp_path / "x" / "studio.sqlite")
    assert database.read("PRAGMA synchronous") == [(2,)]
    assert database.read("PRAGMA journal_mode") == [("wal",)]
    with database.change() as db:
        db.execute(INSERT, ACCOUNT)
        assert database.read("SELECT count(*) FROM accounts") == [(0,)]
    assert database.read("SELECT count(*) FROM accounts") == [(1,)]


@pytest.mark.fault("U5")
def test_half_a_change_is_none(tmp_path):
    database = Database(tmp_path / "studio.sqlite")
    with pytest.raises(sqlite3.IntegrityError), database.change() as db:
        db.executemany(INSERT, [ACCOUNT, ACCOUNT])
    assert database.read("SELECT count(*) FROM accounts") == [(0,)]


@pytest.mark.fault("U4")
def test_writers_take_turns(tmp_path, monkeypatch):
    monkeypatch.setattr("posttrain.studio.database.WAIT", 0.01)
    database = Database(tmp_path / "studio.sqlite")
    with database.change(), pytest.raises(sqlite3.OperationalError, match="locked"), database.change():
        pass


@pytest.mark.fault("U5")
def test_a_newer_format_is_refused(tmp_path):
    database = Database(tmp_path / "studio.sqlite")
    with sqlite3.connect(database.file) as db:
        db.execute(f"PRAGMA user_version = {VERSION + 1}")
    with pytest.raises(StorageError, match="use the version"):
        Database(database.file)


@pytest.mark.fault("U5")
def test_a_folder_that_cannot_be_written_and_a_file_that_is_none(tmp_path):
    (tmp_path / "file").write_text("no database at all, but long enough to look like something else" * 99)
    for file in (tmp_path / "file", tmp_path / "file" / "studio.sqlite"):
        with pytest.raises(StorageError, match="--annotations"):
            Database(file)
