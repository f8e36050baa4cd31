"""Episodes that are being written: the drafts of the answers to a prompt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from posttrain.records import Episode, Prompt, Segment
from posttrain.runs.rounds import as_segment, segment_row
from posttrain.sampling.request import NOTHING, Completion
from posttrain.training.episodes import Key


@dataclass
class Draft:
    """An unfinished episode: its finished segments, and the next one as far as it is written.

    `played`: the episode as it was played in an environment.
    """

    segments: tuple[Segment, ...] = ()
    partial: Completion = NOTHING
    played: Episode | None = None

    @property
    def empty(self) -> bool:
        """Whether nothing is written."""
        return not (self.segments or self.partial.tokens or self.finished)

    @property
    def finished(self) -> bool:
        """Whether the episode is complete."""
        return self.played is not None or self.partial.finished

    @property
    def tokens(self) -> tuple[int, ...]:
        """The tokens of the finished segments."""
        return tuple(token for segment in self.segments for token in segment.tokens)

    def state(self) -> list[Any]:
        """Return the draft as plain data."""
        c = self.partial
        return [c.tokens, c.logp, c.versions, c.ended, c.finished, [segment_row(s) for s in self.segments]]

    @classmethod
    def restored(cls, state: Sequence[Any]) -> Draft:
        """Rebuild a draft from its `state`."""
        tokens, logp, versions, ended, finished, segments = state
        completion = Completion(tuple(tokens), tuple(logp), ended, tuple(versions), finished)
        return cls(tuple(as_segment(s) for s in segments), completion)


@dataclass
class Group:
    """A prompt and the drafts of its episodes, whose seeds derive from the step it was first sampled for."""

    prompt: Prompt
    step: int
    tokens: tuple[int, ...]
    drafts: dict[Key, Draft]
    episodes: list[Episode] | None = None  # once all are finished

    def state(self) -> dict[str, Any]:
        """Return the group as plain data."""
        answers = [[author, sample, *draft.state()] for (author, sample), draft in self.drafts.items()]
        return {"prompt_id": self.prompt.id, "step": self.step, "answers": answers}
