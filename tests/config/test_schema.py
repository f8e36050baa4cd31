"""The law of settings: a key of the run file that nothing reads does not exist."""

from __future__ import annotations

from pathlib import Path

import posttrain
from posttrain.config.schema import RunFile
from posttrain.config.section import Section
from tests.config.readers import leaves, read

SOURCE = Path(posttrain.__file__).parent


def test_every_key_is_read_outside_config() -> None:
    texts = [f.read_text(encoding="utf-8") for f in SOURCE.rglob("*.py") if "config" not in f.relative_to(SOURCE).parts]
    unread = sorted(f"{owner}.{key}" for owner, key in leaves(RunFile) - read(RunFile, texts))
    assert not unread, "implement these keys or remove them (tests/config/readers.py says what counts as reading)"


class Inner(Section):
    depth: int = 1
    width: int = 1


class Fake(Section):
    size: int = 1
    fresh: int = 1
    inner: Inner = Inner()
    others: dict[str, Inner] = {}


READS = """
def f(fake: Fake, own: Other):
    t = fake.inner
    return fake.size, own.fresh, own.width, t.depth
"""
ELSEWHERE = """
def g(run):
    fresh = 1
    run.fresh = fresh
    other.inner.width = 2
    t.depth
"""


def test_the_law_sees_a_key_that_nothing_reads() -> None:
    assert leaves(Fake) == {("Fake", "size"), ("Fake", "fresh"), ("Inner", "depth"), ("Inner", "width")}
    assert leaves(Fake) - read(Fake, [READS]) == {("Fake", "fresh"), ("Inner", "width")}
    assert not leaves(Fake) & read(Fake, [ELSEWHERE])


def test_sections_are_followed_through_names_loops_and_calls() -> None:
    for reading in (
        "def f(a): return a.run.inner.width",
        "def f(a): return a.others['x'].width",
        "def f(a):\n for name, b in a.others.items(): b.width",
        "def f(a): return [b.width for b in a.others.values()]",
        "def f(a: 'Inner | None'): return a.width",
        "def f(self, a: schema.Inner):\n self.b = a\n return self.b.width",
        "def f() -> Inner: ...\ndef g():\n a = f()\n return a.width",
        "def f(a):\n b, c = a.inner, 1\n return b.width",
        "def f(a):\n if (b := a.inner): return b.width",
    ):
        assert ("Inner", "width") in read(Fake, [reading]), reading
