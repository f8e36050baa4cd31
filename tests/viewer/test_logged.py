"""A display that is also written to a log shows all that it is told."""

from __future__ import annotations

from typing import Any

from posttrain.viewer.display import Display
from posttrain.viewer.logged import LoggedDisplay

TOLD: dict[str, tuple[Any, ...]] = {
    "start": ("t", 4, ["header"], 1),
    "step": (1, {"reward": 1.0}),
    "phase": ("sampling", 1, 2),
    "sample": ("a", "b", None),
    "note": ("n",),
    "stop_after_step": (),
    "end_early": ("why",),
    "close": (),
}


class Seen(Display):
    """Remembers every call."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[Any, ...]]] = []

    def __getattribute__(self, name: str) -> Any:
        if name in TOLD:
            return lambda *arguments: self.calls.append((name, arguments))
        return super().__getattribute__(name)


def test_everything_is_passed_on_and_notes_are_written() -> None:
    seen, said = Seen(), []
    display = LoggedDisplay(seen, lambda what, text: said.append((what, text)))
    for name, arguments in TOLD.items():
        getattr(display, name)(*arguments)
    assert seen.calls == list(TOLD.items())
    assert said == [("STAGE", "t: steps 2 to 4"), ("NOTE", "n"), ("NOTE", "why")]
    assert {name for name in vars(Display) if not name.startswith("_")} == {*TOLD, "stopping"}
    assert not display.stopping
    seen.stopping = True
    assert display.stopping
