"""Aligning Neural Machine Translation Models: Human Feedback in Training and Inference (Ramos et al., 2024).

One quality metric in training, twice: it filters the demonstrations, and it is the reward of what follows.

    D' = the share of D with the highest q(x, y);    SFT on D';    then max E q(x, y),  y ~ π

q are the rewards of the run file: `translation` or a learned metric for data with references, a reward model without.
The third use is inference, where it adds to the other two: `posttrain eval RUN DATA --temperature 1 --choose best_of_n
--choose-by METRIC` reranks N answers by q, and `--choose mbr` takes the one with the least Bayes risk.
"""

from __future__ import annotations

from math import ceil

from posttrain.data.dataset import Dataset
from posttrain.records import Demonstration, Episode, Prompt
from posttrain.selection.answers import dataset, ranked
from posttrain.training.session import NO_OPTIONS, Options, Session
from posttrain.turns import answer_text


def quality_feedback(
    session: Session,
    demonstrations: Dataset,
    prompts: Dataset,
    *,
    share: float = 0.8,
    method: str = "online/rloo",
    sft: Options = NO_OPTIONS,
    then: Options = NO_OPTIONS,
) -> dict[str, float]:
    """Score the demonstrations -> SFT on the best `share` of them -> `method` with the same rewards.

    A demonstration that is not scored is left out. The SFT model is the reference.

    Settings:
        share: demonstrations that are kept, of those with a score; above 0, up to 1, where 1 filters nothing.
        method: name of the method that follows; any of the family online.
        sft: options of the SFT stage: any keys of `train`, and `settings` of its method.
        then: options of the stage of `method`: any keys of `train`, and `settings` of its method.
    """
    shown = [d for d in demonstrations if isinstance(d, Demonstration)]
    best = ranked(session.score_again("quality", [_answer(d) for d in shown]))
    kept = {e.prompt.id for e in best[: ceil(share * len(best))]}
    session.note(f"{len(kept)} of {len(shown)} demonstrations are kept")
    session.train("imitation/sft", dataset([d for d in shown if d.id in kept], "kept"), rewards=(), **sft)
    session.evaluate_now("after sft")
    session.copy("policy", "reference")
    return session.train(method, prompts, **then)


def _answer(d: Demonstration) -> Episode:
    """A demonstration as rewards read it: an answer that nobody sampled."""
    prompt = Prompt(d.id, d.prompt, d.columns, d.where)
    return Episode.of_answer(prompt, 0, 0, (), (), (), ended=True, text=answer_text(d.completion))
