"""Unleashing the Potential of Large Language Models as Prompt Optimizers: An Analogical Analysis with Gradient-based
Model Optimizers (Tang et al., 2024).

GPO: a model improves a prompt as an optimiser improves weights. The past prompts that are most relevant to the present
one, with their scores, are the momentum; the number of words that may change is the learning rate; the best of several
proposals is the step.

    p_{t+1} = argmax {s(p) : p ∈ {p_t, proposals with word distance <= e_t from p_t}}
    e_t = ⌊e_last + (e_first - e_last) (1 + cos(π t/T)) / 2⌋

`remember: 0` with a large budget draws again from the same request (APE); `by: recency` is like OPRO. Proposals beyond
the budget are no candidates, where the paper leaves the limit to the model. Relevance is the cosine of word counts,
where the paper has a model for embeddings.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from posttrain.data.dataset import Dataset
from posttrain.procedures.prompting import Task, Writer, finished, parent, text_of
from posttrain.search.evolution.archive import Archive
from posttrain.search.evolution.candidate import Proposed
from posttrain.search.evolution.course import Ask, Strategy
from posttrain.search.evolution.strategies.beam import beam
from posttrain.search.prompts.budget import edit_budget, word_distance
from posttrain.search.prompts.momentum import Remember, remembered
from posttrain.training.session import Session

REQUEST = (
    "Below are prompts for a task and their scores, the best one last.\n{past}\n\nThe present prompt:\n"
    "<prompt>\n{prompt}\n</prompt>\n\nExamples of the task:\n{examples}\n\nWrite a better prompt for this task. Change "
    "at most {budget} words of the present prompt. Reply with the new prompt alone, between <prompt> and </prompt>."
)


def gpo(
    session: Session,
    prompts: Dataset | None = None,
    held_out: Dataset | None = None,
    *,
    start: str = "Answer the question.",
    rounds: int = 12,
    candidates: int = 8,
    remember: int = 3,
    by: Remember = "relevance",
    first: int = 50,
    last: int = 10,
    examples: int = 3,
    writer: str = "speaker",
    solver: str = "policy",
    labels: tuple[str, ...] = (),
    samples: int = 1,
    request: str = REQUEST,
    planted: tuple[str, ...] = (),
) -> dict[str, float]:
    """Rounds of: write proposals near the present prompt -> score them -> keep the best.

    Settings:
        start: prompt that the search begins with; any text.
        rounds: T, number of rounds; at least 1.
        candidates: proposals of a round; at least 1, 8 in the paper.
        remember: past prompts that the writer sees; 0 or more, 3 in the paper.
        by: name of the rule that picks them: relevance, recency or importance (the highest scores).
        first: words that may change in the first round; at least 1, 50 in the paper.
        last: words that may change at the end; 0 to first, 10 in the paper.
        examples: examples of the task that the writer sees; 0 or more.
        writer: name of the model that writes; any of `models`, or policy.
        solver: name of the model that the prompt is for; any of `models`, or policy.
        labels: answers that the solver chooses among; any texts, such as [" yes", " no"], none lets it answer freely.
        samples: answers to each example, scored by the rewards; at least 1.
        request: request to the writer; any text with {past}, {prompt}, {examples} and {budget}.
        planted: sentences that a good prompt holds, in place of examples, to try the search; any texts.
    """
    task = Task.of(session, prompts, planted, solver=solver, labels=labels, samples=samples)
    author = Writer(task, writer, request)

    def write(asks: Sequence[Ask], archive: Archive) -> Iterator[Proposed]:
        n = archive.rounds
        budget = edit_budget(n, rounds, first, last)
        for a in asks:
            present = text_of(parent(archive, a)) or start
            past = [
                (text_of(c), c.value) for c in archive.candidates if c.works and c.text != present and c.same_as is None
            ]
            shown = [f"score {s:.3g}: {p}" for p, s in remembered(past, present, remember, by)]
            made, asked = author.improved(
                f"gpo-write-{a.number}", present, a.number,
                past="\n".join(shown), examples=task.shown(examples, n), budget=budget,
            )  # fmt: skip
            changed = word_distance(present, made or "")
            problem = "the reply is empty" if made is None else f"{changed} words changed, of {budget}"
            near = made is not None and changed <= budget
            yield Proposed(made, asked) if near else Proposed(None, asked, problem)

    archive = session.evolve(
        "gpo", Strategy(beam, rounds=rounds, branching=candidates), write,
        lambda new: (task.evaluated("gpo", c) for c in new), given=(start,),
    )  # fmt: skip
    return archive.metrics(archive.rounds) | finished(session, task.on(held_out), start, text_of(archive.best) or start)
