"""System prompts that are tested on one question after the other, by aspects that suit the question."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean

from posttrain.procedures.judging import user
from posttrain.procedures.prompting import Scores, Task, text_of
from posttrain.records import Prompt, Record
from posttrain.search.evolution.archive import Archive
from posttrain.search.evolution.candidate import Candidate, Evaluated
from posttrain.search.prompts.aspects import HIGH, LOW, chosen, reward, scores
from posttrain.search.prompts.requests import filled_in
from posttrain.turns import last_user_message, under

LEAST, MOST = 2, 5  # aspects of a question


def tested(prompt: str, test: int) -> str:
    """Return a candidate's text: a prompt, and the number of the test that it takes."""
    return json.dumps({"test": test, "prompt": prompt}, ensure_ascii=False)


def prompt_of(candidate: Candidate | None) -> str:
    """Return the prompt of a candidate; empty where there is none."""
    text = text_of(candidate)
    return str(json.loads(text)["prompt"]) if text else ""


def path(archive: Archive, candidate: Candidate | None) -> list[str]:
    """Return the different prompts on the path to a candidate, the first one first."""
    prompts: list[str] = []
    while candidate is not None:
        prompts.append(prompt_of(candidate))
        candidate = archive[candidate.parents[0]] if candidate.parents else None
    return list(dict.fromkeys(reversed(prompts)))


@dataclass
class Judged:
    """A judge who scores the answer to a question by aspects that it has chosen for this question once."""

    task: Task
    judge: str
    select: str
    question: str
    known: Sequence[str]
    name: str = "drpo"
    aspects: dict[int, tuple[str, ...]] = field(default_factory=dict)  # by the id of the question

    def on(self, records: Iterable[Record] | None) -> Judged | None:
        """Return the same judge of other questions; None without any, unless sentences are planted."""
        task = self.task.on(records)
        return None if task is None else replace(self, task=task, name="held-out", aspects={})

    def scores(self, name: str, prompt: str) -> Scores:
        """Return what the judge says of the answer to each question under a prompt; none where it says nothing."""
        if self.task.planted:
            return self.task.planted.scores(prompt)
        found = {r.id: self.judged(f"{name}-{r.id}", r, prompt).fitness for r in self.task.records}
        return {i: x for i, x in found.items() if x is not None}

    def evaluated(self, candidate: Candidate) -> Evaluated:
        """Judge a candidate on the question of its test."""
        prompt, test = prompt_of(candidate), int(json.loads(text_of(candidate))["test"])
        if self.task.planted:
            return Evaluated(LOW + (HIGH - LOW) * fmean(self.task.planted.scores(prompt).values()))
        record = self.task.records[test % len(self.task.records)]
        return self.judged(f"{self.name}-{candidate.number}", record, prompt)

    def judged(self, name: str, record: Prompt, prompt: str) -> Evaluated:
        """Answer a question under a prompt, and judge that. There is no fitness where no score can be read."""
        asked, ask = last_user_message(record.prompt), self.task.session.ask
        turns = [replace(record, prompt=under(record.prompt, prompt))]
        ((answer,),) = ask(f"{name}-answer", self.task.solver, turns, temperature=0.0)
        wanted = self.wanted(record.id, asked)
        request = filled_in(self.question, question=asked, answer=answer, aspects=", ".join(wanted))
        ((judgement,),) = ask(f"{name}-judge", self.judge, [user(request)], temperature=0.0)
        given = scores(judgement, wanted)
        return Evaluated(reward(given), {"question": asked, "answer": answer, "judgement": judgement, "scores": given})

    def wanted(self, identity: int, asked: str) -> tuple[str, ...]:
        """Return the aspects of a question, which the judge is asked for once."""
        if identity not in self.aspects:
            request = filled_in(self.select, question=asked, aspects=", ".join(self.known))
            name = f"{self.name}-aspects-{identity}"
            ((reply,),) = self.task.session.ask(name, self.judge, [user(request)], temperature=0.0)
            self.aspects[identity] = chosen(reply, self.known, LEAST, MOST)
        return self.aspects[identity]
