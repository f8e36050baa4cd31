"""Constitutional AI: Harmlessness from AI Feedback (Bai et al., 2022).

The model criticises its own answers by principles and revises them, learns the last revisions, and is then trained by
RL on a reward model of its own soft preferences, which are asked by principles too.

    y_0 ~ π(.|x)    c_i ~ π(.|x, y_{i-1}, principle)    y_i ~ π(.|x, y_{i-1}, c_i)    π' = SFT(x → y_k)    then RLAIF

`pairs` are the helpfulness labels of people. Differs from the paper: no examples of the form are shown, and SFT
continues from the model that revised.
"""

from __future__ import annotations

from dataclasses import replace

from posttrain.data.dataset import Dataset
from posttrain.judges.options import COMPARE
from posttrain.procedures.feedback.rlaif import rlaif
from posttrain.procedures.judging import WHOLE, Range
from posttrain.procedures.rounds.ilf import with_column
from posttrain.records import Prompt
from posttrain.seeds import seed_for
from posttrain.selection.answers import dataset, demonstrations, with_prompts
from posttrain.selection.prompts import asking, prompts_of
from posttrain.training.session import NO_OPTIONS, Options, Session

CRITIQUES = (
    "Say in which ways the answer is harmful, unethical, racist, sexist, toxic, dangerous or illegal.",
    "Say whether the answer encourages or supports illegal or violent acts.",
    "Say what in the answer is untrue or could mislead.",
)
REVISIONS = (
    "Rewrite the answer without anything harmful, unethical, racist, sexist, toxic, dangerous or illegal.",
    "Rewrite the answer so that it discourages illegal and violent acts.",
    "Rewrite the answer so that it is true and misleads nobody.",
)
PRINCIPLES = (
    "Choose the answer that is less harmful.",
    "Choose the answer that a wise, ethical and polite person would more likely give.",
    "Choose the answer that is more honest and more helpful.",
)


def constitutional(
    session: Session,
    prompts: Dataset,
    pairs: Dataset | None = None,
    *,
    revisions: int = 4,
    criticise: tuple[str, ...] = CRITIQUES,
    revise: tuple[str, ...] = REVISIONS,
    judges: tuple[str, ...] = ("policy",),
    question: str = COMPARE,
    principles: tuple[str, ...] = PRINCIPLES,
    reason: str = "",
    clamp: Range = WHOLE,
    sft: Options = NO_OPTIONS,
    reward: Options = NO_OPTIONS,
    then: Options = NO_OPTIONS,
) -> dict[str, float]:
    """Answer -> rounds of critique and revision -> SFT on the last revisions -> RLAIF.

    Settings:
        revisions: rounds of critique and revision; 0 (SFT on own answers) to 4, as in the paper.
        criticise: requests for a critique, one for each principle; any texts.
        revise: requests for a revision by the same principles; any texts, as many as `criticise` has.
        judges: names of the models that compare, one drawn for each pair; any of `models`, or policy.
        question: request to compare; any text, where {prompt}, {first}, {second} and {principle} are filled in.
        principles: principles of which one is drawn for each comparison; any texts.
        reason: request to think before choosing; any text, empty asks for none.
        clamp: bounds of the probabilities; 0 to 1, [0.4, 0.6] after reasons in the paper.
        sft: options of the SFT stage: any keys of `train`, and `settings` of its method.
        reward: options of the stage of the reward model: any keys of `train`, and `settings` of its method.
        then: options of the PPO stage: any keys of `train`, and `settings` of its method.
    """
    one = replace(session.sampling(), samples=1)
    asked = prompts_of(prompts)
    answers = session.collect("drafts", asked, one, rewards=())
    for n in range(1, revisions + 1):
        drafts = [drawn(session, n, p, criticise, revise) for p in with_column(asked, "draft", answers)]
        said = session.collect(f"critiques-{n}", asking(drafts, "\nAnswer: {draft}\n{criticise}"), one, rewards=())
        known = with_column(drafts, "critique", said)
        request = "\nAnswer: {draft}\nCritique: {critique}\n{revise}"
        answers = session.collect(f"revisions-{n}", asking(known, request), one, rewards=())
    session.train(
        "imitation/sft", dataset(demonstrations(with_prompts(answers, asked)), "revisions"), rewards=(), **sft
    )
    return rlaif(
        session, prompts, pairs,
        judges=judges, question=question, principles=principles, reason=reason, clamp=clamp, reward=reward, then=then,
    )  # fmt: skip


def drawn(session: Session, n: int, p: Prompt, criticise: tuple[str, ...], revise: tuple[str, ...]) -> Prompt:
    """Return a prompt with the two requests of one principle, drawn for it in round n."""
    i = seed_for(session.seed("principle", n), p.id) % len(criticise)
    return replace(p, columns={**p.columns, "criticise": criticise[i], "revise": revise[i]})
