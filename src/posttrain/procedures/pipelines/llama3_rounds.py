"""The Llama 3 Herd of Models (Llama Team, 2024).

Rounds of: compare answers of the latest model, train a reward model, let it choose among many answers (rejection
sampling), SFT on the chosen ones, DPO on the latest comparisons, average the models of several runs.

    SFT on argmax_k r(x, y_k)        L = -log σ(β (s(y_w) - s(y_l))) - c/|y_w| log π(y_w),  c = 0.2,  π_ref = SFT model

Differs from the paper: the run file's rewards stand for the annotators; one policy writes all answers; the averaged
models differ only in their learning rate; nobody edits answers; the tokens that end a turn are not masked.
"""

from __future__ import annotations

from posttrain.core.method import Term, variant
from posttrain.core.parts import pairwise
from posttrain.data.dataset import Dataset
from posttrain.formulas.losses.pairs import minus_first
from posttrain.formulas.losses.scores import mean_logp, row_score
from posttrain.methods.preference.dpo import METHOD as DPO
from posttrain.procedures.learning_rate import with_scaled_rate
from posttrain.records import Pair, Record
from posttrain.selection.answers import best, dataset
from posttrain.selection.answers import demonstrations as as_demonstrations
from posttrain.selection.pairs import pairs
from posttrain.selection.prompts import part_of
from posttrain.training.session import NO_OPTIONS, Options, Session

LLAMA3_DPO = variant(
    DPO, name="llama3_dpo", loss=DPO.loss | {"nll": Term(pairwise(minus_first, mean_logp), weight=0.2)}
)


def llama3_rounds(
    session: Session,
    prompts: Dataset,
    demonstrations: Dataset | None = None,
    *,
    rounds: int = 6,
    prompts_per_round: int | None = None,
    latest: int = 1,
    candidates: int = 10,
    rates: tuple[float, ...] = (1.0,),
    reward: Options = NO_OPTIONS,
    sft: Options = NO_OPTIONS,
    dpo: Options = NO_OPTIONS,
) -> dict[str, float]:
    """Rounds of: comparisons -> reward model -> rejection sampling -> SFT -> DPO -> average.

    Settings:
        rounds: number of rounds; at least 1.
        prompts_per_round: prompts of a round, taken in turn; at least 1, null takes all of them in every round.
        latest: latest rounds whose comparisons DPO trains on; at least 1.
        candidates: answers to each prompt that the reward model chooses from; at least 1, 10 to 30 in the paper.
        rates: learning-rate factors of the DPO runs that are averaged; each above 0, a single 1 averages nothing.
        reward: options of every stage of the reward model: any keys of `train`, and `settings` of its method.
        sft: options of every SFT stage: any keys of `train`, and `settings` of its method.
        dpo: options of every DPO stage: any keys of `train`, and `settings` of its method.
    """
    metrics: dict[str, float] = {}
    compared: list[list[Pair]] = []
    session.copy("policy", "pretrained")
    for n in range(1, rounds + 1):
        asked = part_of(prompts, n - 1, prompts_per_round)
        compared.append(pairs(session.collect(f"round-{n}-compared", asked, session.sampling(samples=2))))
        seen = dataset((p for batch in compared for p in batch), f"comparisons of {n} rounds")
        session.copy("pretrained", "reward")
        session.train("reward/bradley_terry", seen, rewards=(), **reward)
        how = session.sampling(samples=candidates)
        chosen = best(session.collect(f"round-{n}-candidates", asked, how, rewards=row_score))
        trained: list[Record] = [*as_demonstrations(chosen), *(demonstrations or ())]
        session.train("imitation/sft", dataset(trained, f"round {n}"), rewards=(), **sft)
        session.copy("policy", "reference")
        newest = dataset((p for batch in compared[-latest:] for p in batch), f"the latest comparisons of round {n}")
        for k, rate in enumerate(rates, 1):
            session.copy("reference", "policy")
            metrics = session.train(LLAMA3_DPO, newest, rewards=(), **with_scaled_rate(session, LLAMA3_DPO, dpo, rate))
            session.copy("policy", "average", 1 / k)
        session.copy("average", "policy")
    return metrics
