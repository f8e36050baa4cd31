"""Fake judges. They read a request as a chat template would show it: instructions, then texts in tags."""

from __future__ import annotations

import re
from html import unescape


def shown(body):
    """Return the texts by the names of their tags, as a judge would parse them: a tag ends where it is first closed."""
    found = re.findall(r"<(\w+)>\n(.*?)\n</\1>", body["messages"][1]["content"], re.DOTALL)
    return {name: unescape(text) for name, text in found}


def outside(body):
    """Return the text outside all tags: the instructions."""
    return re.sub(r"<(\w+)>\n.*?\n</\1>", "", body["messages"][1]["content"], flags=re.DOTALL)


def by_length(body):
    """Score a point for each letter, up to ten, or the score that an instruction demands."""
    order = re.search(r"score (\d+)", outside(body))
    return {"reason": "length", "score": int(order[1]) if order else max(1, min(10, len(shown(body)["answer"])))}


def longer(body):
    """Prefer the longer answer."""
    a, b = (len(shown(body)[f"answer_{x}"]) for x in "AB")
    return {"reason": "length", "better": "A" if a > b else "B" if b > a else "tie"}


def always_first(body):
    return {"reason": "it was first", "better": "A"}


def contains(body):
    """Say yes to a criterion whose text the answer contains."""
    texts = shown(body)
    met = {n: "yes" if text in texts["answer"] else "no" for n, text in texts.items() if n.startswith("criterion")}
    return {"reason": "contains", **met}
