"""RLAIF vs. RLHF: Scaling Reinforcement Learning from Human Feedback with AI Feedback (Lee et al., 2023).

A language model labels which of two answers is better, in both orders; a reward model learns its probabilities, and RL
pursues the reward model.

    q = ½ [P(A | y_1, y_2) + P(B | y_2, y_1)]        L = -q log σ(Δ) - (1-q) log σ(-Δ)        PPO on r - β KL

`pairs` of people are learned beside those of the judges (RLHAIF, Anand et al., 2024). `principles` make it the second
half of Constitutional AI, a pool of `judges` and `flip` the simulated annotators of AlpacaFarm (Dubois et al., 2023).
The reward without a reward model (d-RLAIF) is `rewards: [{path: rating, model: ...}]` with any online method.

Control: A Critical Evaluation of AI Feedback for Aligning Large Language Models (Sharma et al., 2024). Where the judge
is stronger than whoever wrote the demonstrations, feedback may add no more than SFT on the judge's own answers does.
`control` names the model whose answers to the same prompts are imitated in place of all the rest.
"""

from __future__ import annotations

from posttrain.data.dataset import Dataset
from posttrain.judges.options import COMPARE
from posttrain.procedures.judging import WHOLE, Range, labelled, sure
from posttrain.records import Demonstration
from posttrain.selection.answers import dataset
from posttrain.selection.pairs import unlabelled
from posttrain.training.session import NO_OPTIONS, Options, Session


def rlaif(
    session: Session,
    prompts: Dataset,
    pairs: Dataset | None = None,
    *,
    judges: tuple[str, ...] = ("judge",),
    question: str = COMPARE,
    principles: tuple[str, ...] = (),
    reason: str = "",
    clamp: Range = WHOLE,
    flip: float = 0.0,
    reward_model: bool = True,
    method: str = "online/ppo",
    control: str = "",
    sft: Options = NO_OPTIONS,
    reward: Options = NO_OPTIONS,
    then: Options = NO_OPTIONS,
) -> dict[str, float]:
    """Two answers to each prompt -> labels of the judges -> reward model of soft labels -> RL.

    Settings:
        judges: names of the models that label, one drawn for each pair; any of `models`, or policy.
        question: request to compare; any text, where {prompt}, {first}, {second} and {principle} are filled in.
        principles: principles of which one is drawn for each pair; any texts, none leaves {principle} empty.
        reason: request to think before choosing; any text, empty asks for none.
        clamp: bounds of the probabilities; 0 to 1, [0.4, 0.6] after reasons in Constitutional AI.
        flip: share of labels that are turned around; 0 to 0.5, 0.25 in AlpacaFarm.
        reward_model: true trains a reward model for `method`; false trains `method` on the labelled pairs themselves.
        method: name of the last method; any that reads a reward model, or that reads pairs, such as preference/dpo.
        control: name of the model whose own answers are imitated instead; any of `models`, empty for feedback.
        sft: options of the SFT of the control: any keys of `train`, and `settings` of its method.
        reward: options of the stage of the reward model: any keys of `train`, and `settings` of its method.
        then: options of the last stage: any keys of `train`, and `settings` of its method.
    """
    if control:
        replies = session.ask("demonstrations", control, list(prompts))
        shown = [Demonstration(p.id, p.prompt, text, p.where) for p, (text,) in zip(prompts, replies, strict=True)]
        return session.train("imitation/sft", dataset(shown, f"answers of {control}"), rewards=(), **sft)
    answers = session.collect("answers", prompts, session.sampling(samples=2), rewards=())
    said = labelled(
        session, "labels", unlabelled(answers),
        judges=judges, question=question, principles=principles, reason=reason, clamp=clamp, flip=flip,
    )  # fmt: skip
    seen = dataset([*sure(pairs or ()), *said], "labels of people and models" if pairs else "labels")
    session.copy("policy", "reference")
    if not reward_model:
        return session.train(method, seen, rewards=(), **then)
    session.copy("policy", "reward")
    session.train("reward/soft_labels", seen, rewards=(), **reward)
    session.copy("reward", "critic")
    return session.train(method, prompts, rewards=(), **then)
