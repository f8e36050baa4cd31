"""SWE-RL: Advancing LLM Reasoning via Reinforcement Learning on Open Software Evolution (Wei et al., 2025).

    R = -1 where the format is wrong,   else mean over the files that either patch touches of 2 M / T

M is the number of characters that match between the two diffs of a file, T the number of characters of both. A file
that only one of the patches touches counts 0.

An answer is `<think>...</think><solution>...</solution>`, whose solution holds edits in fenced blocks:

    ```python
    ### path/of/file.py
    <<<<<<< SEARCH
    whole lines as they are
    =======
    lines as they shall be
    >>>>>>> REPLACE
    ```

Every place with these lines is changed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import SequenceMatcher, unified_diff
from statistics import fmean

_TAGS = ("<think>", "</think>", "<solution>", "</solution>")
_LINES = r"([\s\S]*?)"
_EDIT = re.compile(rf"```.*?\n### (.*)\n<{{7}} SEARCH\n{_LINES}\n={{7}}\n{_LINES}\n>{{7}} REPLACE\n```")
CONTEXT = 3  # lines around a change in a diff

Files = Mapping[str, str]  # path -> content


class FormatError(ValueError):
    """The answer is not in the form that is asked for, or its edits do not apply."""


def patch_similarity(
    completions: list[str], files: list[Files | None], patched: list[Files | None], *, wrong: float = -1.0
) -> list[float | None]:
    """Similarity of the answer's edits to the true ones, from 0 to 1; `wrong` for each error of the format.

    The column `files` maps paths to contents before the change, `patched` to those after it, of the files that the true
    change touches. Abstains where one is None.

    Settings:
        wrong: reward of an answer in a wrong format; -1 in the paper, below 0.
    """
    return [
        None if before is None or after is None else _reward(text, before, after, wrong)
        for text, before, after in zip(completions, files, patched, strict=True)
    ]


def _reward(text: str, before: Files, after: Files, wrong: float) -> float:
    try:
        return judged(text, before, after)
    except FormatError:
        return wrong


def judged(text: str, before: Files, after: Files) -> float:
    """Compute the similarity of an answer's edits to the true ones. Raises FormatError."""
    true = diffs(before, after)
    if not true:
        raise ValueError("the column patched changes none of the files")
    return similarity(diffs(before, apply(_solution(text), before)), true)


def _solution(text: str) -> str:
    """The solution of an answer with one thought and one solution."""
    if any(text.count(tag) != 1 for tag in _TAGS):
        raise FormatError("not one thought and one solution")
    thought = text.partition("<think>")[2].partition("</think>")[0]
    if not thought.strip():
        raise FormatError("no thought")
    return text.partition("<solution>")[2].partition("</solution>")[0].strip()


def apply(solution: str, before: Files) -> dict[str, str]:
    """Return the files that the edits of a solution touch, after them. Raises FormatError."""
    edits = _EDIT.findall(solution)
    if not edits:
        raise FormatError("no edits")
    files: dict[str, str] = {}
    for path, old, new in edits:
        content = "\n" + files.get(path, before.get(path, ""))
        if old == new:
            raise FormatError("an edit that changes nothing")
        if f"\n{old}" not in content:
            raise FormatError("what shall be replaced is not there")
        files[path] = content.replace(f"\n{old}", f"\n{new}")[1:]
    return files


def diffs(before: Files, after: Files) -> dict[str, str]:
    """Return the diff of every file that changes, without its header."""
    found = {path: _diff(before.get(path, ""), content) for path, content in after.items()}
    return {path: diff for path, diff in found.items() if diff}


def _diff(old: str, new: str) -> str:
    lines = list(unified_diff(old.splitlines(), new.splitlines(), n=CONTEXT, lineterm=""))
    return "\n".join(lines[2:])


def similarity(made: Mapping[str, str], true: Mapping[str, str]) -> float:
    """Compute the mean ratio over the files of either patch."""
    return fmean(
        SequenceMatcher(None, made[path], true[path], autojunk=False).ratio() if path in made and path in true else 0.0
        for path in {**made, **true}
    )
