"""Acts of feedback for tests."""

from __future__ import annotations

from typing import Any


def act(annotator: str = "ann", answers: Any = ("a", "b"), prompt: Any = "x?", **judgement: Any) -> dict[str, Any]:
    """A row of a feedback file; keys of the act itself begin with `act_`."""
    own = {name.removeprefix("act_"): judgement.pop(name) for name in list(judgement) if name.startswith("act_")}
    return {"annotator": annotator, "prompt": prompt, "answers": list(answers), "judgement": judgement, **own}


def prefer(preferred: Any, annotator: str = "ann", answers: Any = ("a", "b"), **more: Any) -> dict[str, Any]:
    return act(annotator, answers, type="preference", preferred=preferred, **more)


def rate(score: float, annotator: str = "ann", answer: str = "a", **more: Any) -> dict[str, Any]:
    return act(annotator, [answer], type="rating", answer=0, score=score, **more)
