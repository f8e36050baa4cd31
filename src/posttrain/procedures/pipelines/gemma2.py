"""Gemma 2: Improving Open Language Models at a Practical Size (Gemma Team, 2024), its RLHF.

A reward model an order of magnitude larger than the policy, trained on comparisons of conversations of several turns;
RL against it with several settings; and the average of the policies that came of it.

    θ = 1/M Σ_m θ_m,    θ_m from RL of its own, all from the same θ_0

`models: {reward: LARGER}` names the larger model, which shares the policy's tokenizer; else the reward model starts as
the policy. A prompt of several turns is rated with all of them in view. The report averages policies of different
hyper-parameters by WARP (weights/warp repeats that in rounds); here in the order of the data and in `rates`.
"""

from __future__ import annotations

from posttrain.data.dataset import Dataset
from posttrain.training.session import NO_OPTIONS, Options, Session


def gemma2(
    session: Session,
    pairs: Dataset,
    prompts: Dataset,
    *,
    members: int = 2,
    rates: tuple[float, ...] = (),
    rule: str = "linear",
    method: str = "online/rloo",
    reward: Options = NO_OPTIONS,
    then: Options = NO_OPTIONS,
) -> dict[str, float]:
    """Reward model on comparisons -> RL against it with each learning rate, from the same model -> average.

    Settings:
        members: M, policies that are averaged; at least 1, which averages nothing.
        rates: learning rates of the policies in turn; any number above 0, none leaves all at that of their stage.
        rule: name of the rule of averaging; linear or slerp, or any other of models/merging/rules.
        method: name of the method of RL; any that reads a reward model.
        reward: options of the stage of the reward model: any keys of `train`, and `settings` of its method.
        then: options of every stage of RL: any keys of `train`, and `settings` of its method.
    """
    metrics: dict[str, float] = {}
    session.train("reward/bradley_terry", pairs, rewards=(), **reward)
    session.copy("policy", "reference")
    names = [f"member_{m}" for m in range(members)]
    for m, name in enumerate(names):
        session.copy("reference", "policy")
        own = {"learning_rate": rates[m % len(rates)]} if rates else {}
        metrics = session.train(method, prompts, rewards=(), **{**then, **own})
        session.copy("policy", name)
        session.evaluate_now(name)
    session.merge(names, "policy", rule, base="reference")
    session.evaluate_now("average")
    return metrics
