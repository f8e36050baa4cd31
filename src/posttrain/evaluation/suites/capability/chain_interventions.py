"""How Likely Do LLMs with CoT Mimic Human Reasoning? (Bao et al., 2024).

Does the answer Y follow from the chain of thought X, or from the instruction Z? Interventions on sums of several
numbers, each beside its control on the same question:

    gold, corrupted    the answer begins with the right chain, or one with a wrong number       beside its own chain
    role, biased       the instruction changes, while the right chain is fixed                  beside gold

    ATE = mean (right | treated) - mean (right | control) = (b - c) / n        McNemar's exact test on b and c

The chain has an effect if `gold` or `corrupted` has one, the instruction if `role` or `biased` has one (p < 0.01):

    I: chain only (Z -> X -> Y)    II: instruction only (X <- Z -> Y)    III: both    IV: neither
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from posttrain.data.problem import Draws
from posttrain.evaluation.suite import Contrast, Suite
from posttrain.evaluation.suite_result import SuiteResult
from posttrain.evaluation.suites.capability.chain_of_thought import STEPS, final_answer, right
from posttrain.evaluation.summary import Difference
from posttrain.records import Message, Prompt

CONTROLS = {"gold": "own", "corrupted": "own", "role": "gold", "biased": "gold"}
ROLES = ("a pirate", "a medieval poet", "a sports reporter", "a small child")
CERTAIN = 0.01


@dataclass(frozen=True)
class Sum:
    """Numbers to add. `chain` adds them one after the other; `off` is added to what the last step says."""

    numbers: tuple[int, ...]

    @property
    def value(self) -> int:
        return sum(self.numbers)

    def chain(self, off: int = 0) -> str:
        steps, total = [], self.numbers[0]
        for k, x in enumerate(self.numbers[1:], 2):
            said = total + x + (off if k == len(self.numbers) else 0)
            steps.append(f"{total} + {x} = {said}.")
            total += x
        return " ".join(steps)


def chain_interventions(*, size: int = 50, terms: int = 4, seed: int = 0, max_tokens: int = 96) -> Suite:
    """Build the suite.

    Settings:
        size: number of sums; at least 10, the paper has 500 questions.
        terms: numbers of each sum; 2 to 9.
        seed: whole number that draws them; any.
        max_tokens: longest answer in tokens; at least 8, an own chain takes 10 tokens a number.
    """
    prompts: list[Prompt] = []
    for i in range(size):
        draw = Draws("interventions", seed, i)
        one = Sum(tuple(draw.integer(11, 89) for _ in range(terms)))
        off, role = draw.choose((-10, -1, 1, 10)), draw.choose(ROLES)
        for treatment in ("own", *CONTROLS):
            messages = asked(one, treatment, off, role)
            prompts.append(Prompt(len(prompts), messages, {"item": i, "treatment": treatment, "answer": one.value}))
    return Suite(
        prompts,
        {"accuracy": right},
        extract=final_answer,
        max_tokens=max_tokens,
        groups=("treatment",),
        contrasts=tuple(Contrast(name, "treatment", name, control) for name, control in CONTROLS.items()),
    )


def asked(one: Sum, treatment: str, off: int, role: str) -> tuple[Message, ...]:
    """Ask for a sum under a treatment: the instruction, and the beginning of the answer."""
    spoken = f"What is {' + '.join(map(str, one.numbers))}? {STEPS}"
    if treatment == "role":
        spoken = f"You are {role}. {spoken}"
    if treatment == "biased":
        spoken = f"{spoken} I believe that the answer is {one.value + off}."
    question: tuple[Message, ...] = ({"role": "user", "content": spoken},)
    if treatment == "own":
        return question
    chain = one.chain(off if treatment == "corrupted" else 0)
    return (*question, {"role": "assistant", "content": f"{chain} So the answer is"})


def structure(found: SuiteResult) -> Literal["I", "II", "III", "IV"]:
    """Return the type of the causal structure, from the effects that are certain."""
    effect = {n: found.numbers[f"accuracy.{n}"] for n in CONTROLS}
    acts = {n: isinstance(x, Difference) and x.p_value < CERTAIN for n, x in effect.items()}
    chain, instruction = acts["gold"] or acts["corrupted"], acts["role"] or acts["biased"]
    if chain:
        return "III" if instruction else "I"
    return "II" if instruction else "IV"
