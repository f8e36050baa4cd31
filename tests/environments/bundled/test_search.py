"""Looking things up: a reader who follows the articles answers everything."""

from __future__ import annotations

import json
import re
from pathlib import Path

from posttrain.environments.bundled.search import Search
from posttrain.environments.environment import Action
from tests.environments.playing import Played, calling, keeps_the_rules, play, prompt_of


def test_what_holds_of_every_environment() -> None:
    keeps_the_rules(Search)


READING = {
    "which year": r"in (\d+)\.",
    "Who founded": r"founded by ([\w ]+)\.",
    "In which town is": r"company in (\w+) that",
    "which country": r"town in (\w+)\.",
    "which town": r"born in (\w+) in",
    "Which trade": r", (\w+), was born",
}  # what one looks for in the last article


def reader(played: Played, task: dict) -> Action:
    """Search for what the question names, then for what the articles name, and read the answer off the last one."""
    found = "\n".join(o.messages[0]["content"] for o in played.outcomes)
    if len(played.outcomes) < len(task["documents"]):
        title = task["documents"][len(played.outcomes)]
        asked = task["question"] if not played.outcomes else title
        assert title in (task["question"] + found) or not played.outcomes
        return calling("search", query=asked)
    last = re.search(rf"^{task['documents'][-1]}: (.*)$", found, re.MULTILINE)
    assert last, found
    for start, pattern in READING.items():
        if start in task["question"]:
            return Action(re.findall(pattern, last[1])[0])
    raise AssertionError(task["question"])


def test_who_reads_the_articles_answers_everything() -> None:
    for task in Search.tasks(30, 2):
        played = play(Search(), task, lambda p, t=task: reader(p, t))
        assert played.reward == 1.0, task
        assert played.outcomes[-1].info["recall"] == 1.0
        assert len(played.outcomes) == len(task["documents"]) + 1


def test_what_is_trained_on_is_not_asked_again() -> None:
    asked = [{task["question"] for task in Search.tasks(150, seed)} for seed in range(4)]
    assert not (asked[0] | asked[2]) & (asked[1] | asked[3])
    assert len(asked[0] & asked[2]) > 10
    assert {len(task["documents"]) for task in Search.tasks(30, 1)} == {1, 2, 3}


def test_what_a_search_shows() -> None:
    world = Search(k=2)
    world.reset(prompt_of({"prompt": "?", "answer": "x", "documents": ["Ada Aster", "Ben Brand"]}), 0)
    outcome = world.step(calling("search", query="Ada Aster"))
    lines = outcome.messages[0]["content"].splitlines()
    assert lines[0].startswith("Ada Aster: Ada Aster, ")
    assert len(lines) == 2
    assert outcome.info["recall"] == 0.5
    assert outcome.reward is None
    assert world.step(calling("search", query="???")).messages[0]["content"] == "Nothing was found."
    assert world.step(Action("y")).reward == 0.0


def test_a_corpus_of_the_user(tmp_path: Path) -> None:
    file = tmp_path / "corpus.jsonl"
    file.write_text("".join(json.dumps({"title": t, "text": f"about {t}"}) + "\n" for t in ("moon", "sun")))
    world = Search(corpus=str(file))
    world.reset(prompt_of({"prompt": "?", "answer": ["sun", "the sun"]}), 0)
    assert world.step(calling("search", query="sun")).messages[0]["content"].splitlines()[0] == "sun: about sun"
    assert world.step(Action("The Sun!")).reward == 1.0
