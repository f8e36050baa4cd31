"""The table of rooms in docs/design.md: what each room holds, and what it may import."""

import ast
import runpy
from pathlib import Path

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "posttrain"
BEGIN, END = "<!-- rooms: written by docs/build.py -->", "<!-- end of rooms -->"


def written(text: str) -> str:
    """The page with a fresh table between its two markers."""
    before, _, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise ValueError(f"the page lacks the markers {BEGIN} and {END}")
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


def table() -> str:
    """One row for each room of tests/rooms.py, from the ground up."""
    laws = runpy.run_path(str(ROOT / "tests" / "rooms.py"))
    leaves, rooms = laws["LEAVES"], laws["ROOMS"]
    order = [*sorted(leaves), *(name for name in rooms if name not in leaves)]
    rows = [_row(name, _imports(order, leaves, rooms[name])) for name in order]
    return "\n".join(["| room | what it holds | may import |\n|---|---|---|", *rows, _row("cli", "everything")])


def _imports(order: list[str], leaves: set[str], allowed: set[str]) -> str:
    """The names in the order of the table; all leaves together are `the leaves`."""
    whole = leaves <= allowed
    names = [f"`{name}`" for name in order if name in allowed and not (whole and name in leaves)]
    return ", ".join(["the leaves"] * whole + names) or "nothing of ours"


def _row(name: str, imports: str) -> str:
    return f"| `{name}` | {_about(name).replace('|', chr(92) + '|')} | {imports} |"


def _about(name: str) -> str:
    """The first paragraph of the room's docstring."""
    path = SOURCE.joinpath(*name.split("."))
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    first = (ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or "").partition("\n\n")[0]
    return " ".join(first.split())
