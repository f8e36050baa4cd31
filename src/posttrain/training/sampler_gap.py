"""The limit on how far the sampler and the trainer may disagree about the tokens of a step."""

from __future__ import annotations

from collections.abc import Mapping

from posttrain.errors import ConfigError, NumericsError

GAP = "sampling/logp_difference"


def check_gap(metrics: Mapping[str, float], limit: float | None) -> None:
    """Raise NumericsError where the mean difference of their log-probs is above the limit, in nats a token.

    ConfigError if there is a limit and the method does not measure the difference.
    """
    if limit is None:
        return
    if GAP not in metrics:
        raise ConfigError(
            f"sampler.max_gap: this method does not measure {GAP}; set train.rollout_correction: tis, or remove max_gap"
        )
    if not metrics[GAP] <= limit:
        raise NumericsError(
            f"the log-probs of the sampler and of the trainer differ by {metrics[GAP]:.3g} nats a token, more than "
            f"sampler.max_gap={limit:g}: the weights do not arrive, or the two compute otherwise (model.dtype, "
            "quantisation, train.async_steps)"
        )
