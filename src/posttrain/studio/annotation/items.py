"""Items: prompts with answers to judge, from a file that somebody brings or from the samples of a run."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from posttrain.data.feedback.act import canonical
from posttrain.errors import DataError
from posttrain.seeds import seed_for
from posttrain.studio.samples import Group, number_of

PROMPTS = ("prompt", "question", "instruction")
LISTS = ("answers", "completions", "responses", "generations")
PAIRS = (("chosen", "rejected"), ("response_a", "response_b"), ("answer1", "answer2"), ("response1", "response2"))
SINGLE = ("completion", "response", "answer", "text")
WRAPPED = ("data", "fields")  # Label Studio's and Argilla's name for what is shown


@dataclass(frozen=True)
class Item:
    """A prompt (text or messages) and answers: objects with `text` or `messages`, and whatever is known of them.

    `expected`: the right judgement, where the item checks annotators. `columns` go into every act on it. `priority`:
    items with more of it come first.
    """

    prompt: Any
    answers: tuple[Mapping[str, Any], ...] = ()
    expected: Mapping[str, Any] | None = None
    columns: Mapping[str, Any] = field(default_factory=dict)
    priority: float = 0.0

    @property
    def identity(self) -> str:
        """The same for the same prompt and answers, in whatever order they stand."""
        return f"{seed_for('item', canonical(self.prompt), *sorted(map(said, self.answers))):014x}"

    def content(self) -> str:
        """Return the item as JSON."""
        shown = {"prompt": self.prompt, "answers": list(self.answers), "columns": dict(self.columns)}
        return json.dumps(shown, ensure_ascii=False)


def said(answer: Mapping[str, Any]) -> str:
    """Return the words of an answer."""
    return canonical(answer.get("text", answer.get("messages")))


def read_lines(text: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield place and object of every line of JSONL, or of every element of one JSON list. DataError with the line."""
    if text.lstrip().startswith("["):
        try:
            rows = json.loads(text)
        except ValueError as error:
            raise DataError(f"the file is no JSON list: {error}") from None
        given: Iterable[tuple[str, Any]] = ((f"element {n}", row) for n, row in enumerate(rows, 1))
    else:
        given = ((f"line {n}", parsed(line, n)) for n, line in enumerate(text.split("\n"), 1) if line.strip())
    for where, row in given:
        if not isinstance(row, dict):
            raise DataError(f"{where}: an object is needed, not {row!r:.80}")
        yield where, row


def parsed(line: str, number: int) -> Any:
    """Read one line."""
    try:
        return json.loads(line)
    except ValueError as error:
        raise DataError(f"line {number}: not JSON ({error})") from None


def item_of(where: str, row: Mapping[str, Any], least: int) -> Item:
    """Read an item of a row in one of the usual shapes. DataError if it has too few answers."""
    inner: Mapping[str, Any] = next((row[name] for name in WRAPPED if isinstance(row.get(name), dict)), {})
    known = {**row, **inner}
    prompt = next((known[name] for name in PROMPTS if known.get(name)), None)
    if prompt is None and isinstance(known.get("messages"), list):
        prompt = known["messages"]
    if prompt is None:
        raise DataError(f"{where}: a prompt is missing ({', '.join(PROMPTS)}, or messages)")
    answers = tuple(answer_of(where, value) for value in answers_in(known))
    if len(answers) < least:
        raise DataError(f"{where}: {least} answers are needed, it has {len(answers)}")
    expected, priority = known.get("expected"), number_of(dict(known), "priority")
    columns = known.get("columns")
    return Item(prompt, answers, expected, columns if isinstance(columns, dict) else {}, priority or 0.0)


def answers_in(row: Mapping[str, Any]) -> Sequence[Any]:
    """Return the answers of a row, whatever its columns are called."""
    for name in LISTS:
        if isinstance(row.get(name), list) and row[name]:
            return list(row[name])
    for pair in PAIRS:
        if all(row.get(name) for name in pair):
            return [row[name] for name in pair]
    return [row[name] for name in SINGLE if row.get(name)][:1]


def answer_of(where: str, value: Any) -> Mapping[str, Any]:
    """Return an answer as an object: of text, of messages, or of an object as it is."""
    if isinstance(value, str):
        return {"text": value}
    if isinstance(value, list):
        return {"messages": value}
    if isinstance(value, dict) and "role" in value:
        return {"messages": [value]}
    if isinstance(value, dict) and ("text" in value or "messages" in value):
        return value
    raise DataError(f"{where}: an answer is text, messages, or an object with 'text', not {value!r:.80}")


def of_samples(groups: Iterable[Group], kind: str, run: str, seed: int) -> Iterator[Item]:
    """Yield items of what a policy answered: two answers to each prompt, all of them to rank, or each by itself.

    A pair is of two different answers, drawn by the seed and not by reward, so that people judge what the policy
    usually says. The source of an answer is recorded and not shown.
    """
    for group in groups:
        different: dict[str, Mapping[str, Any]] = {}
        for row in group.rows:
            different.setdefault(str(row["completion"]), row)
        answers = [sampled(row, run) for row in different.values()]
        if kind == "demonstration":
            yield Item(group.prompt)
        elif kind == "ranking":
            if len(answers) > 1:
                yield Item(group.prompt, tuple(answers[:6]))
        elif kind == "pair":
            if pairs := list(combinations(answers, 2)):
                yield Item(group.prompt, pairs[seed_for(seed, run, group.identity) % len(pairs)])
        else:
            yield from (Item(group.prompt, (answer,)) for answer in answers)


def sampled(row: Mapping[str, Any], run: str) -> Mapping[str, Any]:
    """Return an answer of a samples file with where it comes from."""
    source = {name: row.get(name) for name in ("step", "sample", "prompt_id", "reward")}
    return {"text": str(row["completion"]), "run": run, **source}
