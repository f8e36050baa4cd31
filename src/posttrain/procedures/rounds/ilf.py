"""Training Language Models with Language Feedback at Scale (Scheurer et al., 2023).

ILF: say in words what is wrong with an answer, let the model refine it several times with the feedback in view, choose
the refinement that follows the feedback best, and imitate it without the feedback; repeat.

    y_0 ~ π(.|x)    f = feedback on y_0    y_1..y_N ~ π(.|x, y_0, f)    π' = argmin -log π(argmax_i R(y_i) | x)

Differs from the paper: the policy itself refines; R are the run file's rewards, where the paper asks an instruct model
whether the feedback was followed. Feedback written by people is the column `feedback` of the prompts. Without it the
policy writes the feedback.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from posttrain.data.dataset import Dataset
from posttrain.records import Episode, Prompt
from posttrain.selection.answers import best, dataset, demonstrations, with_prompts
from posttrain.selection.prompts import asking, part_of, prompts_of
from posttrain.training.session import NO_OPTIONS, Options, Session


def ilf(
    session: Session,
    prompts: Dataset,
    *,
    rounds: int = 3,
    prompts_per_round: int | None = None,
    critique: str = "\nAnswer: {draft}\nWhat is wrong with this answer?",
    refine: str = "\nAnswer: {draft}\nFeedback: {feedback}\nWrite a better answer.",
    sft: Options = NO_OPTIONS,
) -> dict[str, float]:
    """Rounds of: answer -> feedback -> 5 refinements of each answer -> SFT on the best of them.

    Settings:
        rounds: number of rounds; at least 1.
        prompts_per_round: prompts of a round, taken in turn; at least 1, null takes all of them in every round.
        critique: request for feedback at the end of the prompt; any text with {draft} in it.
        refine: request for a better answer at the end of the prompt; any text with {draft} and {feedback} in it.
        sft: options of every SFT stage: any keys of `train`, and `settings` of its method.
    """
    metrics: dict[str, float] = {}
    one = replace(session.sampling(), samples=1)
    for n in range(1, rounds + 1):
        asked = prompts_of(part_of(prompts, n - 1, prompts_per_round))
        drafts = with_column(asked, "draft", session.collect(f"round-{n}-drafts", asked, one, rewards=()))
        if silent := [p for p in drafts if not p.columns.get("feedback")]:
            written = session.collect(f"round-{n}-feedback", asking(silent, critique), one, rewards=())
            known = {p.id: p for p in with_column(silent, "feedback", written)}
            drafts = [known.get(p.id, p) for p in drafts]
        refined = session.collect(f"round-{n}", asking(drafts, refine), session.sampling(samples=5))
        chosen = demonstrations(with_prompts(best(refined), asked))
        metrics = session.train("imitation/sft", dataset(chosen, f"round {n}"), rewards=(), **sft)
    return metrics


def with_column(prompts: Sequence[Prompt], name: str, answers: Sequence[Episode]) -> list[Prompt]:
    """Return the prompts with the answers' texts as a column of this name."""
    texts = {r.prompt.id: r.text for r in answers}
    return [replace(p, columns={**p.columns, name: texts[p.id]}) for p in prompts]
