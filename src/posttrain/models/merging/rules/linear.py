"""Model soups: averaging weights of multiple fine-tuned models improves accuracy without increasing inference time
(Wortsman et al., 2022).

The weighted mean. With a base and a share it is linear interpolation towards the initial model (LITI, WiSE-FT).
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from posttrain.errors import ConfigError
from posttrain.models.merging.rules.task_arithmetic import task_arithmetic


def linear(vectors: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
    """Σ w_m v_m / Σ w_m."""
    total = sum(weights)
    if abs(total) < 1e-12:
        raise ConfigError(f"merge linear: the weights {', '.join(f'{w:g}' for w in weights)} add up to 0; change one")
    return task_arithmetic(vectors, [w / total for w in weights])
