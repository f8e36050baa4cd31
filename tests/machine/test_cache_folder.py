"""One variable moves everything that is cached."""

from pathlib import Path

import pytest

from posttrain.machine.cache_folder import cache_folder


@pytest.mark.parametrize(
    ("own", "shared", "expected"),
    [
        ("/own", "/shared", "/own"),
        ("/own", None, "/own"),
        (None, "/shared", "/shared/posttrain"),
        ("", "/shared", "/shared/posttrain"),
        (None, None, "/home/someone/.cache/posttrain"),
        ("", "", "/home/someone/.cache/posttrain"),
    ],
)
def test_the_first_variable_that_is_set_decides(own, shared, expected, monkeypatch):
    monkeypatch.setattr(Path, "home", lambda: Path("/home/someone"))
    for name, value in (("POSTTRAIN_CACHE", own), ("XDG_CACHE_HOME", shared)):
        monkeypatch.delenv(name, raising=False)
        if value is not None:
            monkeypatch.setenv(name, value)
    assert cache_folder() == Path(expected)
    assert cache_folder("compiled", "x.so") == Path(expected, "compiled", "x.so")


def test_nothing_is_created(tmp_path, monkeypatch):
    monkeypatch.setenv("POSTTRAIN_CACHE", str(tmp_path / "cache"))
    assert not cache_folder("compiled").exists()
    assert not (tmp_path / "cache").exists()
