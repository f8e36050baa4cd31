"""A run without a policy: its procedure trains learners that are no language models, or searches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from posttrain.errors import ConfigError
from posttrain.launch.models import load
from posttrain.models.loading.load import Loaded

if TYPE_CHECKING:
    from posttrain.config.schema import RunFile


class NoPolicy:
    """Stands where a run has the learner, the sampler and the encoder of its policy.

    Whatever a procedure asks of it is a ConfigError that says so.
    """

    stop: frozenset[int] = frozenset()
    vocabulary = "no tokenizer"
    tokenizer = None

    def __init__(self, procedure: str) -> None:
        self._procedure = procedure

    def close(self) -> None:
        """Do nothing: there is nothing to close."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise ConfigError(
            f"procedure: {self._procedure} needs the policy, and this run has none; add model: a hub id, a folder or a "
            "bundled name (smollm2, tiny)"
        )


def load_text_models(run: RunFile) -> dict[str, Loaded]:
    """Load the models in other roles, all of which take part as text. ConfigError for one that shares the policy."""
    loaded = {}
    for role, entry in run.models.items():
        if entry.shared:
            raise ConfigError(f"models.{role}: shares the weights of the policy, and this run has none; add model")
        if entry.endpoint is None and entry.scripted is None:
            loaded[role] = load(entry, run)
    return loaded
