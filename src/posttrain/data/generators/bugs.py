"""Bugs in small Python files, each with the issue that reports it: what SWE-RL trains on, without a repository.

Level 1 shows the file with the bug, level 2 another file beside it. A reward reads the columns `files` (before the fix)
and `patched` (the fixed file after it); `answer` is a thought and the true edit in the form that the question asks for.
"""

from __future__ import annotations

from dataclasses import dataclass

from posttrain.data.problem import Draws, Problem

LEVELS = (1, 2)

REQUEST = """\
Solve this issue of our repository:

{issue}

These are the files that may be wrong:

{files}

Think first, then edit. Your whole answer has this form, with one block for each edit:

<think>
what is wrong, and why
</think>
<solution>
```python
### path/of/the/file.py
<<<<<<< SEARCH
whole lines as they stand in the file, with their indentation
=======
lines that replace them
>>>>>>> REPLACE
```
</solution>"""
EDIT = "```python\n### {path}\n<<<<<<< SEARCH\n{old}\n=======\n{new}\n>>>>>>> REPLACE\n```"
ANSWER = "<think>\n{thought}\n</think>\n<solution>\n{edit}\n</solution>"
WORDS = ("count", "limit", "score", "price", "share", "depth", "speed", "width", "total", "delay", "level", "offset")
VERBS = ("find", "make", "take", "read", "check", "update", "adjust", "compute", "lookup", "measure")


@dataclass(frozen=True)
class Bug:
    """An issue, the signature of the function, its lines, which of them is wrong, and what it should be.

    `{name}` is the function's, `{k}` a number.
    """

    issue: str
    parameters: str
    lines: tuple[str, ...]
    wrong: int
    right: str


BUGS = (
    Bug(
        "{name} leaves out the last of the items.",
        "items",
        ("total = {k}", "for i in range(len(items) - 1):", "    total += items[i]", "return total"),
        1,
        "for i in range(len(items)):",
    ),
    Bug("{name} says no to {k} itself, but {k} is allowed.", "x", ("return x > {k}",), 0, "return x >= {k}"),
    Bug(
        "{name} fails on an empty list. It should return {k}.",
        "items",
        ("return max(items)",),
        0,
        "return max(items, default={k})",
    ),
    Bug("{name} adds {k}, but it should take {k} away.", "x", ("return x + {k}",), 0, "return x - {k}"),
    Bug(
        "{name} returns more than {k}, which is the most allowed.",
        "x",
        ("return max(x, {k})",),
        0,
        "return min(x, {k})",
    ),
    Bug("{name} rounds down when it divides by {k}.", "x", ("return x // {k}",), 0, "return x / {k}"),
    Bug(
        "{name} does not find a key in capitals and returns {k}.",
        "table, key",
        ("return table.get(key, {k})",),
        0,
        "return table.get(key.lower(), {k})",
    ),
    Bug(
        "{name} changes the list of its caller.",
        "items",
        ("items.append({k})", "return items"),
        0,
        "items = [*items, {k}]",
    ),
)


def make(index: int, seed: int, level: int) -> Problem:
    """Make one problem, a pure function of the arguments. The wrong answer edits the right line, but not well."""
    draw = Draws("bugs", seed, level, index)
    bug, number = draw.choose(BUGS), draw.integer(2, 99)
    name, path = _named(draw), f"{draw.choose(WORDS)}s.py"
    issue, old, new = (text.format(name=name, k=number) for text in (bug.issue, bug.lines[bug.wrong], bug.right))
    whole = _function(name, bug.parameters, [line.format(name=name, k=number) for line in bug.lines])
    files = {path: whole + (_other(draw) if level == 1 else "")}
    if level > 1:
        files[f"{draw.choose(VERBS)}.py"] = _other(draw).lstrip("\n")
    patched = {path: files[path].replace(f"    {old}\n", f"    {new}\n")}
    shown = "\n\n".join(f"```python\n### {p}\n{text.rstrip()}\n```" for p, text in sorted(files.items()))
    return Problem(
        question=REQUEST.format(issue=issue, files=shown),
        short=f"{issue} {' '.join(files.values())}",
        answer=_answer(issue, path, old, new),
        wrong=_answer(issue, path, old, f"{old}  # TODO"),
        columns={"files": files, "patched": patched},
    )


def _answer(issue: str, path: str, old: str, new: str) -> str:
    return ANSWER.format(thought=issue, edit=EDIT.format(path=path, old=f"    {old}", new=f"    {new}"))


def _named(draw: Draws) -> str:
    return f"{draw.choose(VERBS)}_{draw.choose(WORDS)}"


def _function(name: str, parameters: str, lines: list[str]) -> str:
    return f"def {name}({parameters}):\n" + "".join(f"    {line}\n" for line in lines)


def _other(draw: Draws) -> str:
    """A function that has nothing to do with the issue."""
    return "\n\n" + _function(f"other_{draw.choose(WORDS)}", "x", [f"return x * {draw.integer(100, 199)}"])
