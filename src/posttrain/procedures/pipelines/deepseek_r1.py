"""DeepSeek-R1: Incentivizing Reasoning Capability in LLMs via Reinforcement Learning (DeepSeek-AI, 2025).

Four stages. A few demonstrations of reasoning teach a readable form (cold start); RL pursues right answers in one
language; the right answers of its policy, beside other conversations, teach the model of the start anew; a last RL has
all prompts and all rewards.

    π_1 = SFT(π_0, cold)        π_2 = GRPO(π_1, r_right + r_language)
    π_3 = SFT(π_0, {y ~ π_2: r(y) >= τ} ∪ text)        π_4 = GRPO(π_3, all rewards)

R1-Zero is GRPO alone, from π_0. `language_consistency` is the reward of language, `scoring: {combine: first}` lets a
verifier judge prompts that have an answer and a reward model the others. pipelines/distill teaches small models after.
"""

from __future__ import annotations

from collections.abc import Mapping

from posttrain.data.dataset import Dataset
from posttrain.procedures.stage_rewards import check_names, weighted
from posttrain.selection.answers import dataset, different, reaching
from posttrain.selection.answers import demonstrations as as_demonstrations
from posttrain.training.session import NO_OPTIONS, Options, Session


def deepseek_r1(
    session: Session,
    demonstrations: Dataset,
    reasoning: Dataset,
    prompts: Dataset,
    text: Dataset | None = None,
    *,
    reasoning_rewards: Mapping[str, float],
    accepted: Mapping[str, float],
    samples: int = 4,
    keep: int | None = None,
    method: str = "online/grpo",
    cold: Options = NO_OPTIONS,
    first: Options = NO_OPTIONS,
    sft: Options = NO_OPTIONS,
    last: Options = NO_OPTIONS,
) -> dict[str, float]:
    """SFT on demonstrations -> RL on reasoning -> SFT of the start on its right answers and text -> RL on all prompts.

    Settings:
        reasoning_rewards: any {reward: weight} of the RL on reasoning, by names of the run file; others are not asked.
        accepted: any {reward: least score}, of those; answers that reach all of them are imitated, {} takes any answer.
        samples: answers to each prompt of reasoning that are to be imitated; at least 1.
        keep: different accepted answers to a prompt that are imitated at most; at least 1, null keeps all.
        method: name of the method of RL; any that samples answers and reads rewards.
        cold: options of the cold start: any keys of `train`, and `settings` of its method.
        first: options of the RL on reasoning: any keys of `train`, and `settings` of its method.
        sft: options of the SFT on accepted answers: any keys of `train`, and `settings` of its method.
        last: options of the RL on all prompts: any keys of `train`, and `settings` of its method.
    """
    checked = weighted(session, reasoning_rewards, "reasoning_rewards")
    check_names(accepted, reasoning_rewards, "accepted")
    session.copy("policy", "base")
    session.train("imitation/sft", demonstrations, rewards=(), **cold)
    session.copy("policy", "reference")
    session.train(method, reasoning, rewards=checked, **first)
    answers = session.collect("answers", reasoning, session.sampling(samples=samples), rewards=checked)
    right = dataset(as_demonstrations(different(reaching(answers, accepted), keep)), "accepted answers")
    session.note(f"{len(right)} of {len(answers)} answers are accepted")
    session.copy("base", "policy")
    session.train("imitation/sft", dataset([*right, *(text or ())], right.name), rewards=(), **sft)
    session.copy("policy", "reference")
    return session.train(method, dataset([*reasoning, *prompts], "all prompts"), **last)
