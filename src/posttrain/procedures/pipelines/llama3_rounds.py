"""The Llama 3 Herd of Models (Llama Team, 2024).

Rounds of: compare answers of the latest model, train a reward model, let it choose among many answers (rejection
sampling), SFT on the chosen ones, DPO on the latest comparisons, average the models of several runs.

    SFT on argmax_k r(x, y_k)        L = -log σ(β (s(y_w) - s(y_l))) - c/|y_w| log π(y_w),  c = 0.2,  π_ref = SFT model

s(y) leaves out the token that ends an answer: both answers have it, and pushed both ways it makes a model stop at once
or repeat itself (`dpo: {settings: {end: 1}}` counts it). An editor may improve the preferred answers: edited > chosen >
rejected.

Differs from the paper: the run file's rewards stand for the annotators, and a model for those who edit; one policy
writes all answers; the averaged models differ only in their learning rate.
"""

from __future__ import annotations

from posttrain.core.method import Term, variant
from posttrain.core.parts import pairwise, part
from posttrain.data.dataset import Dataset
from posttrain.formulas.losses.aggregates import without_ends
from posttrain.formulas.losses.pairs import logistic, minus_first
from posttrain.formulas.losses.scores import mean_logp, row_score, token_log_ratio
from posttrain.judges.options import filled
from posttrain.methods.preference.dpo import METHOD as DPO
from posttrain.procedures.judging import user
from posttrain.procedures.learning_rate import with_scaled_rate
from posttrain.records import Pair, Record
from posttrain.seeds import seed_for
from posttrain.selection.answers import best, dataset
from posttrain.selection.answers import demonstrations as as_demonstrations
from posttrain.selection.pairs import pairs
from posttrain.selection.prompts import part_of
from posttrain.training.session import NO_OPTIONS, Options, Session
from posttrain.turns import answer_text, last_user_message

EDIT = "Question: {prompt}\nAnswer: {answer}\nRewrite this answer so that it is better."
LLAMA3_DPO = variant(
    DPO,
    name="llama3_dpo",
    loss={
        "loss": Term(pairwise(logistic, part(without_ends, x=token_log_ratio), beta=0.1)),
        "nll": Term(pairwise(minus_first, mean_logp), weight=0.2),
    },
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
    editor: str | None = None,
    edit: str = EDIT,
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
        editor: name of the model that edits preferred answers; any of `models`, or policy; null edits none.
        edit: request to edit; any text, where {prompt} and {answer} are filled in.
        reward: options of every stage of the reward model: any keys of `train`, and `settings` of its method.
        sft: options of every SFT stage: any keys of `train`, and `settings` of its method.
        dpo: options of every DPO stage: any keys of `train`, and `settings` of its method.
    """
    metrics: dict[str, float] = {}
    compared: list[list[Pair]] = []
    session.copy("policy", "pretrained")
    for n in range(1, rounds + 1):
        asked = part_of(prompts, n - 1, prompts_per_round)
        new = pairs(session.collect(f"round-{n}-compared", asked, session.sampling(samples=2)))
        compared.append(new if editor is None else new + edited(session, f"round-{n}-edited", new, editor, edit))
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


def edited(session: Session, name: str, compared: list[Pair], editor: str, request: str) -> list[Pair]:
    """Return pairs of an edited answer, preferred, and the one that it improves, where the editor changed anything."""
    told = [user(filled(request, prompt=last_user_message(p.prompt), answer=answer_text(p.chosen))) for p in compared]
    texts = session.ask(name, editor, told) if told else []
    both = [(p, text) for p, (text,) in zip(compared, texts, strict=True) if text != answer_text(p.chosen)]
    return [Pair(seed_for(name, p.id), p.prompt, text, p.chosen, {}, p.where) for p, text in both]
