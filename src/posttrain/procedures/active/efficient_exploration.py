"""Efficient Exploration for LLMs (Dwaracherla et al., 2024).

Which two of many answers should people compare? Those that two plausible rewards find best: labels then go where the
reward model is in doubt about what matters.

    P(θ | labels) ∝ e^{-|θ|²/2} Π σ(θ·z),    y = argmax θ·ψ(x, y),    y' = argmax θ'·ψ(x, y'),    θ, θ' ~ P,  y' ≠ y

ψ is the policy's hidden state after an answer, projected on principal directions; a round's posterior draws stand for
the paper's epistemic network of small MLPs with random priors, of which they are the linear case. The paper answers
with the best of n under the learned reward; here the labelled pairs train any `method` for pairs at the end.
"""

from __future__ import annotations

import torch

from posttrain.data.dataset import Dataset
from posttrain.records import Pair
from posttrain.selection.acquisition import couples
from posttrain.selection.answers import dataset, demonstrations, different, reward_of
from posttrain.selection.coordinates import principal
from posttrain.selection.linear_reward import posterior
from posttrain.selection.pairs import labels
from posttrain.selection.prompts import part_of
from posttrain.training.session import NO_OPTIONS, Options, Session


def efficient_exploration(
    session: Session,
    prompts: Dataset,
    *,
    rounds: int = 8,
    prompts_per_round: int | None = 32,
    draws: int = 10,
    dimensions: int = 16,
    method: str = "preference/dpo",
    then: Options = NO_OPTIONS,
) -> dict[str, float]:
    """Rounds of: answer 8 times -> choose two answers by double Thompson sampling -> label them. Then train.

    Settings:
        rounds: number of rounds, after each of which the reward is fitted anew; at least 1.
        prompts_per_round: prompts of a round, the next ones of the data; at least 1, or null for all of them.
        draws: rewards that are drawn from the posterior in each round; 2 or more, 10 in the paper.
        dimensions: principal directions of the hidden states; at least 1, where more need more labels.
        method: name of the method that trains the policy; any that reads pairs, such as preference/simpo.
        then: options of the stage of `method`: any keys of `train`, and `settings` of its method.
    """
    pairs: list[Pair] = []
    compared: list[torch.Tensor] = []
    axes = None
    for n in range(1, rounds + 1):
        asked = part_of(prompts, n - 1, prompts_per_round)
        answers = different(session.collect(f"round-{n}", asked, session.sampling(samples=8), rewards=()))
        states = torch.tensor(session.embed(f"states-{n}", demonstrations(answers)), dtype=torch.float64)
        if axes is None:
            axes = principal(states - states.mean(0), dimensions)
        x = states @ axes
        known = posterior(torch.stack(compared) if compared else x[:0])
        scores = known.draw(session.seed("draws", n), draws) @ x.T
        chosen = couples(scores, [r.prompt.id for r in answers], session.seed("couples", n))
        told = session.score_again(f"labels-{n}", [answers[i] for couple in chosen for i in couple])
        for (i, j), one, other in zip(chosen, told[::2], told[1::2], strict=True):
            if label := labels(one, other, 1):
                pairs += label
                compared.append(x[i] - x[j] if reward_of(one) > reward_of(other) else x[j] - x[i])
    session.copy("policy", "reference")
    return session.train(method, dataset(pairs, "explored comparisons"), rewards=(), **then)
