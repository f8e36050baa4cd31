"""The transforms of one reward, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from posttrain.errors import ConfigError
from posttrain.rewards.shaping.transform import Transform, finite

Scores = list[float | None]  # of the answers of a batch; None where the reward abstained or failed
POINT = ("score",)


@dataclass(frozen=True)
class Answers:
    """What transforms see of the answers besides their scores: those to one prompt, lengths, ends, baselines."""

    groups: Sequence[Sequence[int]]
    tokens: Sequence[int]
    texts: Sequence[str]
    ended: Sequence[bool]
    baselines: Sequence[Sequence[float]] | None = None  # for each answer, of the same reward


class Chain:
    """The transforms of the reward `of`. Raises ConfigError for an order in which they cannot stand."""

    def __init__(self, of: str, transforms: Sequence[Transform]) -> None:
        self.of = of
        self.transforms = tuple(transforms)
        self.state: dict[int, Any] = {}  # of the transforms that have one, by their place
        self._check_baselines()

    def _check_baselines(self) -> None:
        """A baseline is compared with once, and passes through the transforms of single scores before that."""
        readers = [i for i, t in enumerate(self.transforms) if "baseline" in t.sees]
        before = self.transforms[: readers[-1]] if readers else ()
        if wrong := [t for t in before if t.sees != POINT]:
            raise ConfigError(
                f"transform of {self.of!r}: {self.transforms[readers[-1]]} compares with baseline answers, which "
                f"cannot pass through {wrong[0]}; put it first"
            )

    @property
    def needs_baseline(self) -> bool:
        """Whether a transform compares with the baseline answers."""
        return any("baseline" in t.sees for t in self.transforms)

    @property
    def learns(self) -> bool:
        """Whether a transform has a state that goes from batch to batch."""
        return any("state" in t.sees for t in self.transforms)

    def part(self, value: float) -> float:
        """Transform the number of one span or turn."""
        if wrong := [t for t in self.transforms if t.sees != POINT]:
            raise ConfigError(
                f"transform of {self.of!r}: it judges spans or turns, and {wrong[0]} does not transform one number at "
                "a time; remove it, or transform the sum of the rewards: scoring: {transform: [...]}"
            )
        for t in self.transforms:
            value = finite(t(value), f"transform {t} of {self.of!r}")
        return value

    def __call__(self, scores: Scores, answers: Answers) -> Scores:
        """Return the transformed scores. Where a baseline is compared with and there is none, the reward abstains."""
        baselines = [list(b) for b in answers.baselines or [()] * len(scores)]
        for place, t in enumerate(self.transforms):
            steps: dict[str, Callable[..., Scores]] = {
                "group": self._groups,
                "scores": self._batch,
                "state": self._next,
            }
            if t.sees[0] in steps:
                scores = steps[t.sees[0]](t, scores, answers, place)
            else:
                scores = [self._one(t, x, i, answers, baselines[i]) for i, x in enumerate(scores)]
                baselines = [[t(x) for x in b] for b in baselines] if t.sees == POINT else baselines
        return scores

    def _one(
        self, t: Transform, score: float | None, i: int, answers: Answers, baseline: Sequence[float]
    ) -> float | None:
        if score is None or ("baseline" in t.sees and not baseline):
            return None
        own = {"tokens": answers.tokens[i], "text": answers.texts[i], "ended": answers.ended[i]}
        seen = {"score": score, "baseline": baseline, **own}
        return finite(t(*(seen[name] for name in t.sees)), f"transform {t} of {self.of!r}")

    def _groups(self, t: Transform, scores: Scores, answers: Answers, _place: int) -> Scores:
        made = scores
        for group in answers.groups:
            made = self._filled(t, made, group, t)
        return made

    def _batch(self, t: Transform, scores: Scores, answers: Answers, _place: int) -> Scores:
        lengths = [n for n, score in zip(answers.tokens, scores, strict=True) if score is not None]
        beside = [lengths] if "tokens" in t.sees else []
        return self._filled(t, scores, range(len(scores)), lambda known: t(known, *beside))

    def _next(self, t: Transform, scores: Scores, _answers: Answers, place: int) -> Scores:
        def step(known: list[float]) -> Sequence[float]:
            self.state[place], made = t(self.state.get(place), known)
            return made  # type: ignore[no-any-return]

        return self._filled(t, scores, range(len(scores)), step)

    def _filled(
        self, t: Transform, scores: Scores, places: Sequence[int], call: Callable[[list[float]], Sequence[float]]
    ) -> Scores:
        """Replace the scores at some places by what a call makes of those that are known."""
        known = {i: x for i in places if (x := scores[i]) is not None}
        if not known:
            return scores
        returned = call(list(known.values()))
        if len(returned) != len(known):
            raise ConfigError(f"transform {t} of {self.of!r} returned {len(returned)} numbers for {len(known)} scores")
        made = [finite(x, f"transform {t} of {self.of!r}") for x in returned]
        changed: Mapping[int, float] = dict(zip(known, made, strict=True))
        return [changed.get(i, x) for i, x in enumerate(scores)]

    def __str__(self) -> str:
        text = self.of
        for t in self.transforms:
            given = "".join(f", {key}={value}" for key, value in t.settings.items())
            text = f"{t.name}({text}{given})"
        return text
