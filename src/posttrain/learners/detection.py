"""How well something is detected, of answers whose truth is known."""

from __future__ import annotations

from collections.abc import Iterable


def detection(pairs: Iterable[tuple[bool, bool | None]]) -> dict[str, float]:
    """Accuracy, precision, recall and F1 of (truth, what was said); None, which could not be read, is never right.

    A ratio of nothing is 0. `asked` and `unread` are numbers.
    """
    known = list(pairs)
    hits = sum(truth and said is True for truth, said in known)
    said_yes, true = sum(said is True for _, said in known), sum(truth for truth, _ in known)
    right = sum(truth == said for truth, said in known)
    precision, recall = _share(hits, said_yes), _share(hits, true)
    return {
        "accuracy": _share(right, len(known)),
        "precision": precision,
        "recall": recall,
        "f1": _share(2 * precision * recall, precision + recall),
        "asked": float(len(known)),
        "unread": float(sum(said is None for _, said in known)),
    }


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
