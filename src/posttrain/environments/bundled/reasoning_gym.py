"""Reasoning Gym (Stojanovski et al., 2025): more than a hundred families of generated problems with verifiers.

    environment: {path: reasoning_gym, families: [chain_sum, knights_knaves, sudoku]}

An episode is one answer: what stands between <answer> and </answer>, else what the text marks as its answer, else all
of it. The family's own verifier scores it. A verifier that fails is an error and never a score.

The columns `family`, `seed` and `index` name the problem, which is made again to score an answer.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from posttrain.environments.environment import Action, Environment, Outcome
from posttrain.errors import ConfigError, DataError, MissingExtraError, suggestion
from posttrain.records import Message, Prompt
from posttrain.rewards.final_answer import marked
from posttrain.seeds import seed_for

FAMILIES = (
    "base_conversion", "basic_arithmetic", "caesar_cipher", "calendar_arithmetic", "chain_sum", "count_bits",
    "count_primes", "countdown", "family_relationships", "fraction_simplification", "gcd", "knights_knaves", "lcm",
    "leg_counting", "letter_counting", "maze", "mini_sudoku", "number_sequence", "number_sorting",
    "prime_factorization", "shortest_path", "simple_equations", "spell_backward", "syllogism", "word_sorting",
)  # fmt: skip
ASKED = "\n\nThink, and then write the answer between <answer> and </answer>."
_TAGGED = re.compile(r"<answer>(.*?)</answer>", re.DOTALL)
_SIZE = 1 << 20  # of a family: its problems are made one by one

Families = Sequence[str] | Mapping[str, Mapping[str, Any]]


class ReasoningGym(Environment):
    """Answer problems of Reasoning Gym.

    Settings:
        families: names of the families, or a name and its options for each; null takes 25 of them.
        exact: true gives 1 to an answer with the full score and 0 to all others; false the verifier's own score.
    """

    def __init__(self, *, families: Families | None = None, exact: bool = False) -> None:
        self.families = _options(families)
        self.exact = exact
        self.entry: dict[str, Any] = {}
        self.dataset: Any = None

    @classmethod
    def tasks(cls, count: int, seed: int, *, families: Families | None = None) -> Sequence[Mapping[str, Any]]:
        """Make problems of each family in turn."""
        options, rows = _options(families), []
        for number in range(count):
            family = list(options)[number % len(options)]
            start = seed_for("reasoning_gym", seed, family) % 2**31
            index = number // len(options)
            question = dataset(family, start, json.dumps(options[family]))[index]["question"]
            rows.append({"prompt": f"{question}{ASKED}", "family": family, "seed": start, "index": index})
        return rows

    def reset(self, prompt: Prompt, seed: int) -> Sequence[Message]:
        try:
            family, start, index = (prompt.columns[name] for name in ("family", "seed", "index"))
        except KeyError as error:
            raise DataError(f"{prompt.where or 'a prompt'}: reasoning_gym reads the column {error}") from None
        self.dataset = dataset(str(family), int(start), json.dumps(self.families.get(str(family), {})))
        self.entry = self.dataset[int(index)]
        return super().reset(prompt, seed)

    def step(self, action: Action) -> Outcome:
        text = action.text.rpartition("</think>")[2]
        tagged = _TAGGED.findall(text)
        answer = (tagged[-1] if tagged else marked(text) or text).strip()
        score = float(self.dataset.score_answer(answer or None, self.entry))
        if not math.isfinite(score):
            raise ValueError(f"the verifier of {self.dataset.config} gave {score}")
        return Outcome(reward=float(score == 1) if self.exact else score, done=True, info={"answer": answer})


@cache
def dataset(family: str, seed: int, options: str) -> Any:
    """Return a family of problems. Raises ConfigError for one that there is not, or options that it does not take."""
    gym = _package()
    known = gym.factory.DATASETS
    if family not in known:
        raise ConfigError(
            f"reasoning_gym has no family {family!r}{suggestion(family, known)}; it has {', '.join(known)}"
        )
    try:
        return gym.create_dataset(family, seed=seed, size=_SIZE, **json.loads(options))
    except (TypeError, AssertionError) as error:
        raise ConfigError(f"the family {family} of reasoning_gym does not take {options}: {error}") from error


def _options(families: Families | None) -> dict[str, Mapping[str, Any]]:
    """Map each family to its options."""
    chosen = FAMILIES if families is None else families
    if not chosen or isinstance(chosen, str):
        raise ConfigError(f"families is {chosen!r}; write a list of names, or a name and its options for each")
    return {name: dict(chosen[name] or {}) if isinstance(chosen, Mapping) else {} for name in chosen}


def _package() -> Any:
    try:
        import reasoning_gym
    except ModuleNotFoundError as error:
        raise MissingExtraError("the environment reasoning_gym", "reasoning-gym") from error
    return reasoning_gym
