"""Exploring Data Scaling Trends and Effects in Reinforcement Learning from Human Feedback (Shen et al., 2025).

A verifier where the prompt has an answer to verify, a generative reward model elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping


def first(scores: Mapping[str, float]) -> Mapping[str, float]:
    """Count the first of the rewards, in the order of the run file, that did not abstain."""
    name = next(iter(scores))
    return {name: scores[name]}
