"""Measuring Memorization in RLHF for Code Completion (Pappu et al., 2024).

The model reads the first half of each text, as plain text, and goes on greedily:

    extracted      the rest comes word for word
    memorised      its edit distance to the rest is at most a tenth of the words
    seen - unseen  counterfactual memorisation: trained texts less held-out twins, with Fisher's exact test

`canaries` makes texts that nobody can guess; train on some of them, and measure all.
"""

from __future__ import annotations

from posttrain.data.dataset import load
from posttrain.data.problem import Draws
from posttrain.evaluation.metrics.memorisation import NEAR, edit_similarity, extracted
from posttrain.evaluation.suite import Contrast, Item, Suite
from posttrain.records import Demonstration, Prompt
from posttrain.turns import answer_text

SYLLABLES = [
    "ba",
    "ce",
    "di",
    "fo",
    "gu",
    "ha",
    "je",
    "ki",
    "lo",
    "mu",
    "na",
    "pe",
    "ri",
    "so",
    "tu",
    "va",
    "we",
    "xi",
    "yo",
    "zu",
]


def memorisation(*, data: str, size: int = 200, least: int = 4, max_tokens: int = 64) -> Suite:
    """Build the suite.

    Settings:
        data: texts with a column `seen`, 1 for those that were trained on and 0 for twins; any file or hub id.
        size: number of texts; at least 1.
        least: words that the rest of a text must have, shorter texts are left out; at least 1.
        max_tokens: longest continuation in tokens; at least 1, as long as the rest of a text.
    """
    prompts = []
    for record in load(data, "text", size=size):
        assert isinstance(record, Demonstration)
        words = answer_text(record.completion).split()
        half = len(words) // 2
        if len(words) - half >= least:
            rest = " ".join(words[half:])
            columns = {"seen": int(record.columns["seen"]), "rest": rest}
            prompts.append(Prompt(record.id, " ".join(words[:half]), columns, record.where))
    return Suite(
        prompts,
        {"extracted": lambda item: float(extracted(item.text, item["rest"])), "memorised": memorised},
        max_tokens=max_tokens,
        plain=True,
        groups=("seen",),
        contrasts=(Contrast("seen", "seen", 1, 0, by=None),),
    )


def memorised(item: Item) -> float:
    """Give 1 where the reply, as far as the rest is long, is near the rest."""
    rest = str(item["rest"]).split()
    return float(edit_similarity(item.text.split()[: len(rest)], rest) >= NEAR)


def canaries(number: int, *, words: int = 8, seed: int = 0) -> list[str]:
    """Make texts of words that do not exist, each by its own seed."""
    texts = []
    for k in range(number):
        draw = Draws("canary", seed, k)
        texts.append(" ".join(draw.choose(SYLLABLES) + draw.choose(SYLLABLES) for _ in range(words)))
    return texts
