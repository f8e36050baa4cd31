"""Aligning Large Language Models through Synthetic Feedback (Kim et al., 2023).

ALMoST: larger models with more and better examples answer better. Answers of several writers, ordered by this
assumption alone, teach a reward model; it chooses what the policy imitates, and then RL pursues it.

    y_1 ≻ y_2 ≻ ... ≻ y_K by writer        SFT on argmax_n r(x, y_n)        PPO on r - β KL

Differs from the paper: prompts are given where its model plays the user, and pairs are filtered by length alone.
"""

from __future__ import annotations

from itertools import combinations

from posttrain.core.method import Sampling
from posttrain.data.collate import groups
from posttrain.data.dataset import Dataset
from posttrain.errors import ConfigError
from posttrain.formulas.losses.scores import row_score
from posttrain.records import Episode
from posttrain.selection.answers import best, dataset, demonstrations, with_prompts
from posttrain.selection.pairs import pair
from posttrain.selection.prompts import preceding, prompts_of
from posttrain.training.session import NO_OPTIONS, Options, Session


def almost(
    session: Session,
    prompts: Dataset,
    *,
    writers: tuple[str, ...] = ("large", "policy"),
    examples: tuple[str, ...] = ("", ""),
    shortest: float = 0.5,
    candidates: int = 4,
    method: str = "online/ppo",
    reward: Options = NO_OPTIONS,
    sft: Options = NO_OPTIONS,
    then: Options = NO_OPTIONS,
) -> dict[str, float]:
    """An answer of each writer -> reward model on their order -> SFT on the best of several answers -> RL.

    Settings:
        writers: names of the models that answer, the best first; any of `models` with the policy's tokens, or policy.
        examples: texts before the prompt of each writer, such as solved examples; any texts, as many as writers.
        shortest: length of the preferred answer, as a share of the other's, below which a pair is dropped; 0 or more.
        candidates: answers to each prompt of which the reward model chooses what is imitated; at least 1.
        method: name of the last method; any that reads a reward model, such as online/reinforce.
        reward: options of the stage of the reward model: any keys of `train`, and `settings` of its method.
        sft: options of the SFT stage: any keys of `train`, and `settings` of its method.
        then: options of the last stage: any keys of `train`, and `settings` of its method.
    """
    if len(writers) != len(examples):
        raise ConfigError(
            f"almost: {len(writers)} writers and {len(examples)} examples; give each writer a text, or ''"
        )
    asked = prompts_of(prompts)
    written: list[Episode] = []
    for i, (role, text) in enumerate(zip(writers, examples, strict=True)):
        how = Sampling(mix=((role, 1.0),))
        answers = session.collect(f"writer-{i + 1}", preceding(asked, text), how, rewards=())
        written += with_prompts(answers, asked)
    order = [c for group in groups(written) for c in combinations(group, 2) if credible(*c, shortest)]
    session.copy("policy", "reward")
    session.train("reward/bradley_terry", dataset((pair(a, b) for a, b in order), "assumed"), rewards=(), **reward)
    chosen = best(session.collect("candidates", prompts, session.sampling(samples=candidates), rewards=row_score))
    session.train("imitation/sft", dataset(demonstrations(chosen), "best of the candidates"), rewards=(), **sft)
    session.copy("policy", "reference")
    session.copy("reward", "critic")
    return session.train(method, prompts, rewards=(), **then)


def credible(better: Episode, worse: Episode, shortest: float) -> bool:
    """Return whether the assumption can be believed of two answers: they differ, and the better is not too short."""
    return better.text != worse.text and len(better.text) >= shortest * len(worse.text)
