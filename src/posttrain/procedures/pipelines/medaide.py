"""MedAide: Leveraging Large Language Models for On-Premise Medical Assistance on Edge Devices (Basit et al., 2024).

An assistant of one domain for a small machine: a small model with adapters learns from demonstrations and by RLHF, and
what is known of the domain is looked up and stands before each question.

    x' = d_1 ... d_k x,    d_1 ... d_k the demonstrations whose questions are most like x (selection/similar.py)

Differs from pipelines/instructgpt in what stands before the questions. The demonstrations are what is looked up; one
with the same question as x is left out, which would hold the answer. The paper searches documents by embeddings.
"""

from __future__ import annotations

from dataclasses import replace

from posttrain.data.dataset import Dataset
from posttrain.procedures.pipelines.instructgpt import instructgpt
from posttrain.records import Demonstration
from posttrain.selection.prompts import preceded
from posttrain.selection.similar import nearest
from posttrain.training.session import NO_OPTIONS, Options, Session
from posttrain.turns import answer_text, last_user_message


def medaide(
    session: Session,
    demonstrations: Dataset,
    pairs: Dataset,
    prompts: Dataset,
    *,
    retrieved: int = 2,
    sft: Options = NO_OPTIONS,
    reward: Options = NO_OPTIONS,
    ppo: Options = NO_OPTIONS,
) -> dict[str, float]:
    """Similar demonstrations before each question -> SFT -> reward model on pairs -> PPO against it.

    The run file's `evaluate` asks its questions as they are.

    Settings:
        retrieved: number of demonstrations that stand before each question; at least 0, 1 to 5 is usual.
        sft: options of the SFT stage: any keys of `train`, and `settings` of its method.
        reward: options of the stage of the reward model: any keys of `train`, and `settings` of its method.
        ppo: options of the PPO stage: any keys of `train`, and `settings` of its method.
    """
    shown, compared, asked = (beside_similar(d, demonstrations, retrieved) for d in (demonstrations, pairs, prompts))
    return instructgpt(session, shown, asked, compared, sft=sft, reward=reward, ppo=ppo)


def beside_similar(records: Dataset, library: Dataset, count: int) -> Dataset:
    """Put the demonstrations of the library that are most like each question before it, the most similar one first."""
    known = [d for d in library if isinstance(d, Demonstration)]
    texts = [last_user_message(d.prompt) for d in known]
    examples = [f"{text}\n{answer_text(d.completion)}\n\n" for text, d in zip(texts, known, strict=True)]
    near = nearest([last_user_message(r.prompt) for r in records], texts, count)
    placed = [
        replace(r, prompt=preceded(r.prompt, "".join(examples[j] for j in own)))
        for r, own in zip(records, near, strict=True)
    ]
    return Dataset(tuple(placed), records.name)
