"""ALaRM: Align Language Models via Hierarchical Rewards Modeling (Lai et al., 2024).

One reward decides first; only answers that it finds good enough earn the others too.
"""

from __future__ import annotations

from collections.abc import Mapping


def gate(
    scores: Mapping[str, float], unweighted: Mapping[str, float], *, by: str, above: float = 0.5
) -> Mapping[str, float]:
    """Count the reward `by` alone while its score is below the threshold, else all of them; none where it abstains.

        w_h r_h + [r_h >= τ] Σ_k w_k r_k

    The paper's aspect rewards pass through a sigmoid first: what is never negative cannot make a good answer worth
    less than one just below the threshold.

    Settings:
        by: name of the reward that decides.
        above: τ, its score before the weight from which the others count; any number, 0.5 to 0.6 of a z-score there.
    """
    if by not in scores:
        return {}
    return scores if unweighted[by] >= above else {by: scores[by]}
