"""Reinforcement Learning in the Era of LLMs: What is Essential? What is Needed? (Sun, 2023): why errors compound.

SFT clones what experts wrote, and learns nothing of what follows a mistake of its own. Learning online, from what the
policy itself writes, is trained there too; RLHF is such learning, with a reward that was inferred from people. With a
mistake in ε of all steps, the expected number of steps among T that are off the expert's way is

    cloned:  T - Σ_{t=1..T} (1 - ε)^t ≈ ε T² / 2          nobody showed the way back
    online:  ε T                                           the way back is learned as well as the way

which are both exact for the chain of two states (on and off the way) of `steps_off`.
"""

from __future__ import annotations


def steps_off(horizon: int, *, mistake: float, back: float) -> float:
    """Return the expected number of steps off the way among `horizon` steps that begin on it.

    Settings:
        mistake: ε, probability of leaving the way in a step; 0 to 1.
        back: probability of coming back to it in a step; 0 to 1, 0 where nobody has shown how.
    """
    off, total = 0.0, 0.0
    for _ in range(horizon):
        off = off * (1 - back) + (1 - off) * mistake
        total += off
    return total


def cloned(horizon: int, mistake: float) -> float:
    """Return the steps off the way of a policy that clones demonstrations, in which nobody leaves it."""
    return steps_off(horizon, mistake=mistake, back=0.0)


def online(horizon: int, mistake: float) -> float:
    """Return the steps off the way of a policy that learned from its own, with the same mistakes in every state."""
    return steps_off(horizon, mistake=mistake, back=1 - mistake)
