"""Dynamic Rewarding with Prompt Optimization Enables Tuning-free Self-Alignment of Language Models (Singla et al.,
2024).

DRPO: a beam search over system prompts. Every round has another question: the model answers it under each prompt, a
judge scores the aspects that suit this question, and a writer improves the prompt by what the judge says.

    r(prompt, q) = mean over the aspects of q of the judge's scores, 1 to 5;    a path is worth the mean of its rewards

A prompt whose reward is above 4.5 stays as it is, and the search gets a round more. One aspect for all questions is a
fixed reward; `width: 1` is hill climbing. A judgement that cannot be read is no reward (in the authors' code it is 0):
its prompt does not go on. Differs from the paper: no solved examples are shown beside the prompt.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from posttrain.data.dataset import Dataset
from posttrain.procedures.judged_prompts import Judged, path, prompt_of, tested
from posttrain.procedures.prompting import Task, Writer, finished, parent
from posttrain.search.evolution.archive import Archive
from posttrain.search.evolution.candidate import Proposed
from posttrain.search.evolution.course import Ask, Strategy
from posttrain.search.evolution.strategies.path_beam import path_beam
from posttrain.search.prompts.aspects import ASPECTS
from posttrain.training.session import Session

SELECT = (
    "By which aspects should an answer to this be judged?\n{question}\n\nChoose two to five of: {aspects}; or name "
    "others. Reply with their names alone, separated by commas."
)
JUDGE = (
    "Judge the answer by each aspect, from 1 (worst) to 5 (best).\nQuestion: {question}\nAnswer: {answer}\n\nReply "
    "with a line for each aspect: {aspects}. Each line: the aspect, a colon and the score."
)
REQUEST = (
    "A model has this system prompt:\n<prompt>\n{prompt}\n</prompt>\n\nEarlier ones:\n{past}\n\nIt was asked: "
    "{question}\nIt answered: {answer}\nA judge said:\n{judgement}\n\nWrite a better system prompt, which helps with "
    "all questions. Reply with the new prompt alone, between <prompt> and </prompt>."
)


def drpo(
    session: Session,
    prompts: Dataset | None = None,
    held_out: Dataset | None = None,
    *,
    start: str = "You are a helpful assistant.",
    rounds: int = 16,
    width: int = 2,
    actions: int = 3,
    enough: float = 4.5,
    extra: int = 10,
    remember: int = 5,
    aspects: tuple[str, ...] = ASPECTS,
    solver: str = "policy",
    judge: str = "judge",
    writer: str = "speaker",
    select: str = SELECT,
    question: str = JUDGE,
    request: str = REQUEST,
    planted: tuple[str, ...] = (),
) -> dict[str, float]:
    """Rounds of: improve prompts by what was said of them -> answer the next question -> judge -> keep the best paths.

    Settings:
        start: system prompt that the search begins with; any text.
        rounds: rounds, a question each, which begin again after the last; at least 1, 16 to 20 in the paper.
        width: prompts that are kept; at least 1, 2 in the paper.
        actions: proposals for each that is kept; at least 1, 3 in the paper.
        enough: reward above which a prompt stays as it is; 1 to 5, 4.5 in the paper.
        extra: rounds more at most, for those in which no prompt was changed; 0 or more, 10 in the paper.
        remember: earlier prompts of the path that the writer sees; 0 or more, 5 in the paper.
        aspects: names of aspects to choose from; any texts.
        solver: name of the model that the prompt is for; any of `models`, or policy.
        judge: name of the model that chooses aspects and scores answers; any of `models`, or policy.
        writer: name of the model that writes prompts; any of `models`, or policy.
        select: request for aspects; any text with {question} and {aspects}.
        question: request for scores; any text with {question}, {answer} and {aspects}.
        request: request to the writer; any text with {prompt}, {past}, {question}, {answer} and {judgement}.
        planted: sentences that a good prompt holds, in place of examples, to try the search; any texts.
    """
    task = Task.of(session, prompts, planted, solver=solver)
    author, judged = Writer(task, writer, request), Judged(task, judge, select, question, aspects)

    def write(asks: Sequence[Ask], archive: Archive) -> Iterator[Proposed]:
        for a in asks:
            before = parent(archive, a)
            present, said = prompt_of(before), before.report if before else {}
            if a.operator == "keep":
                yield Proposed(tested(present, archive.rounds + 1))
                continue
            made, asked = author.improved(
                f"drpo-write-{a.number}", present, a.number,
                past="\n".join([p for p in path(archive, before) if p != present][-remember:] if remember else []),
                **{name: said.get(name, "") for name in ("question", "answer", "judgement")},
            )  # fmt: skip
            yield Proposed(made and tested(made, archive.rounds + 1), asked, "" if made else "the reply is empty")

    archive = session.evolve(
        "drpo", Strategy(path_beam, rounds=rounds, width=width, branching=actions, enough=enough, extra=extra), write,
        lambda new: (judged.evaluated(c) for c in new), given=(tested(start, 0),),
    )  # fmt: skip
    best = archive[archive.survivors[0]] if archive.survivors else None
    return archive.metrics(archive.rounds) | finished(session, judged.on(held_out), start, prompt_of(best) or start)
