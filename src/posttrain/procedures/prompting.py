"""What searches over prompts have in common: how good a prompt is, who writes the next one, and before and after."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import isfinite
from statistics import fmean
from typing import Any, Protocol

from posttrain.errors import ConfigError
from posttrain.evaluation.summary import difference, summary
from posttrain.learners.speaker import Question, Speaker
from posttrain.procedures.judging import user
from posttrain.records import Episode, Prompt, Record
from posttrain.search.evolution.archive import Archive
from posttrain.search.evolution.candidate import Candidate, Evaluated
from posttrain.search.evolution.course import Ask
from posttrain.search.prompts.gap import best_of_groups, gap
from posttrain.search.prompts.planted import Planted
from posttrain.search.prompts.requests import filled_in, text_in
from posttrain.selection.prompts import prompts_of
from posttrain.training.session import Session
from posttrain.turns import last_user_message, under

Scores = dict[int, float]  # id of the example -> its score
ARTEFACT = "prompt.txt"


@dataclass(frozen=True)
class Task:
    """Examples, the model that answers them under a prompt, and how good that is.

    With `labels` the model chooses one of them, and it should choose the example's column `answer`. Else it answers
    `samples` times and the rewards of the run score that. `planted` stands in for all of this.
    """

    session: Session
    records: Sequence[Prompt]
    solver: str = "policy"
    labels: tuple[str, ...] = ()
    samples: int = 1
    max_tokens: int | None = None
    planted: Planted | None = None

    @classmethod
    def of(cls, session: Session, records: Iterable[Record] | None, planted: Sequence[str] = (), **how: Any) -> Task:
        """Make a task of the records of a run file. ConfigError where nothing says what a good prompt is."""
        if records is None and not planted:
            raise ConfigError("there is nothing to score prompts on: add data.prompts, or planted: [...] to try it")
        made = cls(session, prompts_of(records or ()), planted=Planted(tuple(planted)) if planted else None, **how)
        if len(made.labels) == 1:
            raise ConfigError(
                f"labels: there is only {made.labels[0]!r}; give at least 2 labels to choose among, or none"
            )
        for p in made.records if made.labels else ():
            made.label(p)
        if planted:
            session.note("planted sentences stand in for the examples and for the model that answers them")
        return made

    def on(self, records: Iterable[Record] | None) -> Task | None:
        """Return the same task on other examples; None without any, unless sentences are planted."""
        return replace(self, records=prompts_of(records or ())) if records is not None or self.planted else None

    def label(self, p: Prompt) -> int:
        """Return the number of the right label of an example."""
        said = str(p.columns.get("answer", "")).strip()
        for i, label in enumerate(self.labels):
            if label.strip() == said:
                return i
        raise ConfigError(f"{p.where}: the answer {said!r} is none of the labels {', '.join(map(repr, self.labels))}")

    def scores(self, name: str, prompt: str) -> Scores:
        """Return the score of each example under a prompt, kept under a name; none of those that were not scored."""
        if self.planted:
            return self.planted.scores(prompt)
        asked = [replace(p, prompt=under(p.prompt, prompt)) for p in self.records]
        if self.labels:
            said = self.session.choose(name, self.solver, asked, self.labels)
            return {p.id: float(x.index(max(x)) == self.label(p)) for p, x in zip(self.records, said, strict=True)}
        replies = self.session.ask(name, self.solver, asked, samples=self.samples, **self._how)
        return means(self.session.score_again(f"{name}-scores", answers(self.records, replies)))

    def evaluated(self, name: str, candidate: Candidate) -> Evaluated:
        """Return the mean score under a candidate; no fitness where nothing was scored."""
        scores = self.scores(f"{name}-{candidate.number}", text_of(candidate))
        if not scores:
            return Evaluated(None, {"problem": "no answer was scored"})
        return Evaluated(fmean(scores.values()), {"scores": {str(i): x for i, x in scores.items()}})

    def earned(self, completions: Sequence[str], examples: Sequence[Sequence[int]], *, groups: int = 0) -> list[Any]:
        """Score prompts, each on its own examples, by their ids: the reward of a writer of prompts. Nothing is kept.

        With labels it is the mean gap, else the mean of the best of `groups` groups of answers.
        """
        return [self._earned(text, set(own), groups) for text, own in zip(completions, examples, strict=True)]

    def _earned(self, prompt: str, ids: set[int], groups: int) -> float | None:
        if self.planted:
            return fmean(self.planted.scores(prompt).values())
        records = [p for p in self.records if p.id in ids]
        asked = [under(p.prompt, prompt) for p in records]
        role = self.session.run.speaker(self.solver)
        if self.labels:
            said = role.choose(asked, self.labels)
            return fmean(gap(x, self.label(p)) for p, x in zip(records, said, strict=True))
        limit, seed = self.session.run.file.sampling.max_tokens, self.session.seed("earned", prompt)
        replies = role.ask(asked, samples=self.samples, seed=seed, **{"max_tokens": limit, **self._how})
        scored = self.session.score(answers(records, replies))
        best = [best_of_groups(xs, groups, seed) for xs in by_prompt(scored).values()]
        return fmean(best) if best else None

    @property
    def _how(self) -> dict[str, Any]:
        """How answers are drawn: a single one greedily."""
        limit = {} if self.max_tokens is None else {"max_tokens": self.max_tokens}
        return {"temperature": 0.0 if self.samples == 1 else 1.0, **limit}

    def shown(self, count: int, seed: int = 0) -> str:
        """Return a few examples and their answers as text, others for other seeds."""
        n = len(self.records)
        chosen = [self.records[(seed * count + i) % n] for i in range(min(count, n))]
        lines = [f"Input: {last_user_message(p.prompt)}\nOutput: {p.columns.get('answer', '?')}" for p in chosen]
        return "\n\n".join(lines)


def text_of(candidate: Candidate | None) -> str:
    """Return the text of a candidate; empty where there is none."""
    return "" if candidate is None or candidate.text is None else candidate.text


def parent(archive: Archive, asked: Ask) -> Candidate | None:
    """Return the first parent of a wish; None where nothing works yet."""
    return archive[asked.parents[0]] if asked.parents else None


def answers(records: Sequence[Prompt], replies: Sequence[Sequence[str]]) -> list[Episode]:
    """Return replies as answers that rewards can score."""
    return [
        Episode.of_answer(p, 0, k, (), (), (), True, text)
        for p, texts in zip(records, replies, strict=True)
        for k, text in enumerate(texts)
    ]


def by_prompt(episodes: Iterable[Episode]) -> dict[int, list[float]]:
    """Return the rewards of the answers to each example; a failed one is left out."""
    found: dict[int, list[float]] = {}
    for e in episodes:
        if e.reward is not None:
            found.setdefault(e.prompt.id, []).append(e.reward)
    return found


def means(episodes: Iterable[Episode]) -> Scores:
    """Return the mean reward of each example that was scored."""
    return {i: fmean(xs) for i, xs in by_prompt(episodes).items()}


def script_of(session: Session, role: str) -> Speaker | None:
    """Return the script that stands in for a role of the run file; None where a model speaks."""
    entry = session.run.file.models.get(role)
    return None if entry is None or entry.scripted is None else session.speaker(role)


@dataclass(frozen=True)
class Writer:
    """A model that improves prompts, as a `request` asks it to: any text with {prompt} and what else is filled in.

    A scripted speaker knows the planted sentences of the task, and adds one of them where it is right.
    """

    task: Task
    role: str
    request: str

    @cached_property
    def _script(self) -> Speaker | None:
        return script_of(self.task.session, self.role)

    def improved(self, name: str, present: str, seed: int, **texts: object) -> tuple[str | None, str]:
        """Return the prompt that the model writes, and what it was asked; None where its reply holds none.

        `present`: the prompt that it should improve. `seed`: another one gives another proposal of a script.
        """
        asked = filled_in(self.request, prompt=present, **texts)
        if self._script is None:
            return text_in(self.task.session.ask(name, self.role, [user(asked)])[0][0]), asked
        planted = self.task.planted
        right, wrong = (planted.better(present, seed), planted.worse(present)) if planted else (None, ())
        question = Question(f"{asked}\n({name})", truth=right, wrong=wrong)
        return text_in(self._script.answer([question])[0]), asked


class Scored(Protocol):
    """Whoever says how good prompts are on some examples."""

    def scores(self, name: str, prompt: str) -> Scores:
        """Return the score of each example under a prompt, kept under a name."""


def finished(session: Session, task: Scored | None, before: str, after: str) -> dict[str, float]:
    """Keep the prompt, and what the first and the last one get on held-out examples."""
    session.artefact(ARTEFACT, after)
    session.artefact("start.txt", before)
    if task is None:
        session.note("there is no data.held_out, so nothing says whether the prompt helps on other examples")
        return {}
    return compared(session, task.scores("held-out-before", before), task.scores("held-out-after", after))


def compared(session: Session, before: Scores, after: Scores) -> dict[str, float]:
    """Compare the scores of two prompts on the same examples, with intervals and a test: the artefact `held_out`."""
    if not before or not after:
        session.note("held out: no answer was scored, so the two prompts are not compared")
        return {}
    first, last, change = summary(before), summary(after), difference(after, before)
    session.artefact("held_out", {"before": plain(first), "after": plain(last), "difference": plain(change)})
    session.note(f"held out: {first} before, {last} after; {change}")
    return {"held_out/before": first.mean, "held_out/after": last.mean, "held_out/difference": change.mean}


def plain(found: object) -> dict[str, Any]:
    """Return numbers for JSON; null for the interval of a single example."""
    return {n: x if isfinite(x) else None for n, x in vars(found).items()}
