"""Suites on the models of a run: their questions are asked, and what comes back is kept under a name."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from posttrain.catalogue import index as catalogue
from posttrain.catalogue.signature import Signature
from posttrain.core.method import Sampling
from posttrain.data.dataset import Dataset
from posttrain.errors import ConfigError
from posttrain.evaluation.play import Due, play
from posttrain.evaluation.suite import Item, Judging, Reply, Suite, having
from posttrain.evaluation.suite_result import SuiteResult, identity, result
from posttrain.records import Prompt, Turns
from posttrain.roles.conversation import as_messages, as_text
from posttrain.training.episodes import request
from posttrain.training.run import Run
from posttrain.turns import content, is_prefilled

if TYPE_CHECKING:
    from posttrain.config.sections.evaluate import SuiteRef

JUDGE = "judge"  # the role that is asked for verdicts
VERDICT = 16  # tokens of a judge's reply


def load_suite(path: str, settings: Mapping[str, Any], base: Path | None = None) -> Suite:
    """Make the suite of a file: `diversity` is evaluation/suites/diversity.py, `./mine.py` the user's.

    Raises ConfigError for an unknown name, wrong settings, and for a suite without questions or with equal ids, and
    DataError where questions lack a column by which numbers are reported.
    """
    function = catalogue.SUITES.function(path, base)
    signature = Signature(function)
    signature.check(settings, f"suite {path}")
    if missing := signature.missing(settings):
        raise ConfigError(f"suite {path} needs the setting {missing[0]}: write {{path: {path}, {missing[0]}: ...}}")
    suite = function(**settings)
    if not isinstance(suite, Suite):
        raise ConfigError(f"suite {path}: the function returns {type(suite).__name__}, not a Suite")
    if not suite.prompts or len({p.id for p in suite.prompts}) < len(suite.prompts):
        raise ConfigError(f"suite {path}: it needs questions, each with an id of its own")
    having(suite.prompts, suite.groups)
    return suite


def named_suites(refs: Sequence[SuiteRef], base: Path) -> dict[str, Suite]:
    """Make the suites of a run file, by the names of their numbers."""
    return dict(_named_suite(ref, base) for ref in refs)


def _named_suite(ref: SuiteRef, base: Path) -> tuple[str, Suite]:
    return ref.name or Path(ref.path).stem, load_suite(ref.path, ref.settings, base)


class Suites:
    """The suites of a run by name, as `evaluate.suites` of the run file asks for them."""

    def __init__(self, run: Run, refs: Sequence[SuiteRef]) -> None:
        self.run = run
        self.suites = named_suites(refs, run.file.base)

    @property
    def questions(self) -> list[Dataset]:
        """The questions of every suite, to be compared with what is trained on."""
        return [Dataset(tuple(s.prompts), f"suite {n}") for n, s in self.suites.items()]

    def now(self, moment: str) -> dict[str, SuiteResult]:
        """Ask the models as they are, and keep the replies under the name of the moment.

        Without those that this run did not have before the checkpoint that it continues from.
        """
        found = {}
        for name, suite in self.suites.items():
            if (made := self._kept(moment, name, suite)) is not None:
                found[name] = made
        return found

    def _kept(self, moment: str, name: str, suite: Suite) -> SuiteResult | None:
        compute = lambda: _as_rows(self.run, name, suite)  # noqa: E731
        place = f"evaluations/{moment.replace(' ', '-')}-{name}"
        rows = self.run.journal.measured(place, compute, identity(ids(suite)))
        if rows is None:
            return None
        first, *items = rows
        return result(name, suite, _as_items(items, suite), seconds=first["seconds"], ids=first["ids"])


def measure_suite(run: Run, name: str, suite: Suite) -> SuiteResult:
    """Ask the policy the questions of a suite, and compute its numbers."""
    first, *items = _as_rows(run, name, suite)
    return result(name, suite, _as_items(items, suite), seconds=first["seconds"], ids=first["ids"])


def ids(suite: Suite) -> dict[str, str]:
    """Identify the data of a suite, and how they are asked: transform, decoding and extraction."""
    data = [[p.id, p.prompt, dict(p.columns)] for p in suite.prompts]
    functions = [_told(f) for f in (suite.ask, suite.extract, suite.follow, suite.judge and suite.judge.questions)]
    verdicts = () if suite.judge is None else suite.judge.options
    how = [suite.samples, suite.temperature, suite.max_tokens, suite.turns, suite.options, suite.plain, *verdicts]
    asked = [suite.ask(p) for p in suite.prompts]
    return {"data": identity(data), "asked": identity([*how, *functions, *suite.names, asked])}


def _told(function: object) -> list[Any]:
    """Name a function, with the settings that it was made of: a closure's plain values."""
    name = str(getattr(function, "__qualname__", type(function).__name__))
    cells = getattr(function, "__closure__", None) or ()
    return [name, *(c.cell_contents for c in cells if isinstance(c.cell_contents, str | int | float))]


# ---- asking


def _as_rows(run: Run, name: str, suite: Suite) -> list[Any]:
    """Ask a suite, as plain data: how long it took and what was read, then a row for each item."""
    started = time.monotonic()
    items = asked(run, name, suite)
    first = [i.replies[0].asked for i in items if i.sample == 0 and i.replies]
    read = identity([first, run.encoder.template.source])
    about = {"seconds": time.monotonic() - started, "ids": {**ids(suite), "read": read}}
    return [about, *(as_row(item) for item in items)]


def asked(run: Run, name: str, suite: Suite) -> list[Item]:
    """Ask the policy all questions of a suite, and the judge about what it replied."""
    items = play(suite, partial(_chosen if suite.options else _written, run, name, suite))
    return items if suite.judge is None else _judged(run, suite.judge, items)


def _written(run: Run, name: str, suite: Suite, due: Due, turn: int) -> list[Reply]:
    """Sample a reply to each question."""
    sampling = Sampling(samples=1, temperature=suite.temperature)
    prompts = [replace(item.prompt, prompt=as_read(run, question, plain=suite.plain)) for item, question in due]
    tokens = [run.encoder.prompt(p, suite.max_tokens) for p in prompts]
    requests = [
        request(run, p, t, sampling, ("suite", name), (0, item.sample), turn=turn, max_tokens=suite.max_tokens)
        for (item, _), p, t in zip(due, prompts, tokens, strict=True)
    ]
    completions = run.generate(requests, sampling.drawn_from)
    texts = [run.encoder.text((*run.begin, *c.tokens)) for c in completions]  # a forced beginning is a part of it
    return [
        Reply(question, text, suite.extract(text), c.ended, c.logp, len(t))
        for (_, question), t, c, text in zip(due, tokens, completions, texts, strict=True)
    ]


def _chosen(run: Run, name: str, suite: Suite, due: Due, turn: int) -> list[Reply]:
    """Read the probabilities of the options of each question."""
    del name, turn  # nothing is drawn
    options = [tuple(map(str, item[suite.options])) for item, _ in due]
    questions = [as_read(run, question, plain=suite.plain) for _, question in due]
    given = run.speaker("policy").choose(questions, options)
    sizes = [len(run.encoder.prompt(Prompt(0, q))) for q in questions]
    return [
        Reply(question, (best := own[p.index(max(p))]), best, probabilities=tuple(p), read=size)
        for (_, question), own, p, size in zip(due, options, given, sizes, strict=True)
    ]


def as_read(run: Run, turns: Turns, *, plain: bool = False) -> Turns:
    """Return a question in the form that the policy reads: messages with a chat template, plain text without.

    In plain text a single message stays as it is, and words that begin the answer follow it.
    """
    messages = as_messages(turns)
    if run.encoder.template.source and not plain:
        return messages
    if is_prefilled(messages):
        before = as_text(messages[:-1])
        return f"{before} {content(messages[-1])}" if len(messages) == 2 else as_text(messages)
    return as_text(messages) + ("" if len(messages) == 1 else "\n\nassistant:")


def _judged(run: Run, judging: Judging, items: Sequence[Item]) -> list[Item]:
    """Ask the judge about every item. A reply without one of its words is no verdict."""
    if JUDGE not in run.file.models:
        raise ConfigError("this suite is judged; name the judge: models: {judge: ...}, or --role judge=MODEL")
    asked = [judging.questions(item) for item in items]
    replies = run.speaker(JUDGE).ask([q for own in asked for q in own], max_tokens=VERDICT, temperature=0.0)
    read = iter([verdict(reply[0], judging.options) for reply in replies])
    return [replace(item, verdicts=tuple(next(read) for _ in own)) for item, own in zip(items, asked, strict=True)]


def verdict(text: str, options: Sequence[str]) -> str | None:
    """Return the option that a judge's reply names first, as a whole word; None without one.

    Words are read in capitals or not, letters as they are: `a tie` names no A, and neither does `A tie`.
    """
    words = "|".join(re.escape(o) for o in options)
    named = [rf"{o}\b(?!\s+(?i:{words})\b)" if len(o) == 1 else rf"(?i:{re.escape(o)})\b" for o in options]
    found = re.search(rf"\b(?:{'|'.join(named)})", text)
    return next((o for o in options if found and o.lower() == found[0].lower()), None)


# ---- plain data


def as_row(item: Item) -> dict[str, Any]:
    """Convert an item to plain data, for a file."""
    return {
        "prompt_id": item.prompt.id,
        "sample": item.sample,
        "replies": [asdict(r) for r in item.replies],
        "verdicts": list(item.verdicts),
    }


def _as_items(rows: Sequence[Mapping[str, Any]], suite: Suite) -> list[Item]:
    known = {p.id: p for p in suite.prompts}
    return [_as_item(row, known[row["prompt_id"]]) for row in rows]


def _as_item(row: Mapping[str, Any], prompt: Prompt) -> Item:
    return Item(prompt, row["sample"], tuple(_as_reply(r) for r in row["replies"]), tuple(row["verdicts"]))


def _as_reply(row: Mapping[str, Any]) -> Reply:
    asked = row["asked"] if isinstance(row["asked"], str) else tuple(row["asked"])
    numbers = {name: tuple(row[name]) for name in ("logp", "probabilities")}
    return Reply(**{**row, "asked": asked, **numbers})
