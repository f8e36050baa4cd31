"""A quality metric of translations against a reference: BLEU or chrF, of a sentence, by sacrebleu.

A Call for Clarity in Reporting BLEU Scores (Post, 2018); chrF: character n-gram F-score (Popović, 2015).
"""

from __future__ import annotations

from typing import Any, Literal

from posttrain.errors import MissingExtraError


def translation(
    completions: list[str], reference: list[str | list[str] | None], *, metric: Literal["bleu", "chrf"] = "bleu"
) -> list[float | None]:
    """Similarity to the column `reference` (a text, or a list of several), from 0 to 1. Abstains where it is None.

    BLEU of a sentence is smoothed: n-grams without a match count 1/2^k.

    Settings:
        metric: name of the metric: bleu (words up to four in a row) or chrf (characters, up to six in a row).
    """
    score = _metric(metric)
    return [
        None if given is None else score(text.strip(), [given] if isinstance(given, str) else list(given)) / 100
        for text, given in zip(completions, reference, strict=True)
    ]


def _metric(name: str) -> Any:
    try:
        from sacrebleu.metrics import BLEU, CHRF
    except ImportError as error:
        raise MissingExtraError("the reward translation", "translation") from error
    metric = BLEU(effective_order=True) if name == "bleu" else CHRF()
    return lambda text, references: min(metric.sentence_score(text, references).score, 100.0)  # rounding may exceed it
