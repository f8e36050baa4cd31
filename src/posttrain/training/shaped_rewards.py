"""What a run file makes of its rewards: the transforms of each, how they combine, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from posttrain.errors import ConfigError
from posttrain.rewards.reward import Reward
from posttrain.rewards.shaping.shaping import Shaping
from posttrain.rewards.shaping.transform import transform, transforms
from posttrain.training.named_rewards import spec

if TYPE_CHECKING:
    from posttrain.config.schema import RunFile


def shaping(file: RunFile, rewards: Sequence[Reward]) -> Shaping:
    """Make what the run file says is trained on. Raises ConfigError for transforms that cannot be."""
    s = file.scoring
    return Shaping(
        rewards, combine=transform(spec(s.combine), "combine"), result=transforms([spec(t) for t in s.transform])
    )


def shapes(file: RunFile) -> list[str]:
    """Return the keys with which a run file shapes rewards."""
    keys = [f"rewards.{i}.transform" for i, entry in enumerate(file.rewards) if entry.transform]
    return keys + [f"scoring.{key}" for key in ("combine", "transform") if key in file.scoring.model_fields_set]


def check_shaping(file: RunFile, rewards: Sequence[Reward], *, scored: bool) -> None:
    """Raise ConfigError for transforms that cannot be, and for settings of them that nothing would read.

    `scored`: there are reward functions besides those of the run file.
    """
    transform(spec(file.scoring.combine), "combine")
    transforms([spec(t) for t in file.scoring.transform])
    if shapes(file) and not (rewards or scored or file.models):
        raise ConfigError(f"{shapes(file)[0]}: there are no rewards; add rewards: [...]")
    compares = any("baseline" in t.sees for r in rewards for t in r.transform)
    if "baseline" in file.scoring.model_fields_set and not compares and not scored:
        raise ConfigError(
            "scoring.baseline: no transform of a reward compares with baseline answers; remove it, or add the "
            "transform contrastive or preference"
        )
