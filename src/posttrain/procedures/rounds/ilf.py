"""Training Language Models with Language Feedback at Scale (Scheurer et al., 2023).

ILF: say in words what is wrong with an answer, let the model refine it several times with these words in view, choose
the refinement that follows them best, and imitate that without the words; repeat.

    y_0 ~ π(.|x)    f = feedback on y_0    y_1..y_N ~ π(.|x, y_0, f)    π' = argmin -log π(argmax_i R(y_i) | x)

Differs from the paper: the refiner is the policy itself; R are the run file's rewards, where the paper asks an instruct
model whether the feedback was followed; feedback that people wrote is the column `feedback` of the prompts, else the
policy writes it when asked to `critique`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from posttrain.data.dataset import Dataset
from posttrain.records import Prompt, Rollout
from posttrain.selection.answers import about, best, dataset, demonstrations
from posttrain.selection.prompts import asking, part_of, prompts_of
from posttrain.training.session import NONE, Options, Session


def ilf(
    session: Session,
    prompts: Dataset,
    *,
    rounds: int = 3,
    prompts_per_round: int | None = None,
    critique: str = "\nAnswer: {draft}\nWhat is wrong with this answer?",
    refine: str = "\nAnswer: {draft}\nFeedback: {feedback}\nWrite a better answer.",
    sft: Options = NONE,
) -> dict[str, float]:
    """Rounds of: answer -> feedback -> 5 refinements of each answer -> SFT on the best of them."""
    metrics: dict[str, float] = {}
    one = replace(session.how(), samples=1)
    for n in range(1, rounds + 1):
        asked = prompts_of(part_of(prompts, n - 1, prompts_per_round))
        drafts = with_column(asked, "draft", session.collect(f"round-{n}-drafts", asked, one, rewards=()))
        if silent := [p for p in drafts if not p.columns.get("feedback")]:
            written = session.collect(f"round-{n}-feedback", asking(silent, critique), one, rewards=())
            known = {p.id: p for p in with_column(silent, "feedback", written)}
            drafts = [known.get(p.id, p) for p in drafts]
        refined = session.collect(f"round-{n}", asking(drafts, refine), session.how(samples=5))
        chosen = demonstrations(about(best(refined), asked))
        metrics = session.train("imitation/sft", dataset(chosen, f"round {n}"), rewards=(), **sft)
    return metrics


def with_column(prompts: Sequence[Prompt], name: str, answers: Sequence[Rollout]) -> list[Prompt]:
    """The prompts with what was answered as a column."""
    texts = {r.prompt.id: r.text for r in answers}
    return [replace(p, columns={**p.columns, name: texts[p.id]}) for p in prompts]
