"""Sequence-Level Knowledge Distillation (Kim and Rush, 2016); the distilled models of DeepSeek-R1 (DeepSeek-AI, 2025).

The teacher answers, the best answers stay if rewards tell which these are, and the student imitates them.

    y_1..y_K ~ q(·|x)        keep the best with r(y) >= threshold        L = -log π(y | x)

A teacher of the student's vocabulary (`models.teacher`) is imitated token by token as it sampled. One with another
tokenizer or behind a server is asked in text: between vocabularies this is the distillation that needs no
approximation, where soft targets would have to match tokens of one with those of the other.
"""

from __future__ import annotations

from posttrain.core.method import Sampling
from posttrain.data.dataset import Dataset
from posttrain.records import Demonstration
from posttrain.selection.answers import best, dataset, demonstrations
from posttrain.training.session import NO_OPTIONS, Options, Session


def distill(
    session: Session,
    prompts: Dataset,
    *,
    samples: int = 1,
    keep: int = 1,
    threshold: float | None = None,
    temperature: float = 1.0,
    teacher: str = "teacher",
    in_text: bool = False,
    sft: Options = NO_OPTIONS,
) -> dict[str, float]:
    """Let the teacher answer -> keep the best answers to each prompt -> SFT of the student on them.

    Settings:
        samples: answers of the teacher to each prompt; at least 1.
        keep: best answers to each prompt that are imitated; at least 1.
        threshold: reward that an answer needs to be imitated; any number, null keeps all and reads no rewards.
        temperature: temperature that the teacher is sampled at; 0 (greedy) or more.
        teacher: role of the teacher; any of `models`.
        in_text: true asks the teacher in text, as another tokenizer or a server needs it; without a threshold.
        sft: options of the SFT stage: any keys of `train`, and `settings` of its method.
    """
    if in_text:
        replies = session.ask("answers", teacher, list(prompts), samples=samples, temperature=temperature)
        texts = [(p, text) for p, answers in zip(prompts, replies, strict=True) for text in answers[:keep]]
        shown = [Demonstration(i, p.prompt, text, p.where) for i, (p, text) in enumerate(texts)]
        return session.train("imitation/sft", dataset(shown, "answers of the teacher"), rewards=(), **sft)
    how = Sampling(samples=samples, temperature=temperature, mix=((teacher, 1.0),))
    answers = session.collect("answers", prompts, how, rewards=() if threshold is None else None)
    if threshold is not None:
        answers = [a for a in best(answers, keep) if a.reward is not None and a.reward >= threshold]
    return session.train("imitation/sft", dataset(demonstrations(answers), "answers of the teacher"), rewards=(), **sft)
