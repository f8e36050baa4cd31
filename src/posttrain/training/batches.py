"""The batches of each step of a stage, one for every stream of its method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import accumulate, chain
from typing import TYPE_CHECKING, Any

from posttrain.core.batch import Batch
from posttrain.core.method import MAIN, Method
from posttrain.data.collate import collate, episode_columns, episode_row, episode_rows, groups, paired
from posttrain.data.dataset import Dataset
from posttrain.data.feed import Feed
from posttrain.data.numeric_columns import brought
from posttrain.data.poisson_feed import PoissonFeed
from posttrain.data.stream_feed import StreamFeed
from posttrain.errors import ConfigError, DataError
from posttrain.records import Episode, Prompt, Record, Row
from posttrain.rewards.reward import Reward
from posttrain.sampling.statistics import describe
from posttrain.training.drawn import Drawn
from posttrain.training.enough import check_answers, check_batch_size, check_records, check_window
from posttrain.training.environments import most_tokens
from posttrain.training.episodes import authors_of
from posttrain.training.guided import reference_tokens
from posttrain.training.private_records import check_rows
from posttrain.training.replay import Replay
from posttrain.training.role_rewards import REWARD
from posttrain.training.rollouts import Rollouts
from posttrain.training.run import Run

if TYPE_CHECKING:
    from torch import Tensor

    from posttrain.config.schema import Train


class Batches:
    """Takes records, samples answers, and collates both into batches.

    After `take`, `places` holds where the records of the step come from, and `episodes` the answers sampled for it.
    """

    def __init__(
        self,
        run: Run,
        method: Method,
        data: Mapping[str, Dataset],
        *,
        rewards: Sequence[Reward],
        train: Train,
        name: str,
    ) -> None:
        self.run = run
        self.method = method
        self.settings = train
        self.name = name
        self.rewards = tuple(rewards)
        self._check_streams(data)
        self.sampling = run.file.sampling
        self.columns = method.columns
        self.rows: dict[str, dict[int, list[Row]]] = {}
        self.prompts: dict[str, dict[int, tuple[int, ...]]] = {}
        self.references: dict[str, dict[int, tuple[int, ...]]] = {}
        self.feeds = {s: self._feed(s, d) for s, d in data.items()}
        check_records(method, self.feeds[MAIN].dataset)
        self.authors = {
            s: authors_of(method, s, samples=self.sampling.samples, temperature=self.sampling.temperature)
            for s in method.streams
        }
        for authors in self.authors.values():
            check_answers(method, authors)
        self.sources = {s: self._source(s) for s, stream in method.streams.items() if stream.kind.sampled}
        self.places: list[str] = []
        self.episodes: Sequence[Episode] = ()
        self.drawn: dict[str, Drawn] = {}
        self.last_rows: dict[str, list[int]] = {}  # number of the last row of each episode of the step

    # ---- before the first step

    def _check_streams(self, data: Mapping[str, Dataset]) -> None:
        own = {s for s, stream in self.method.streams.items() if stream.view is None}
        if missing := sorted(own - set(data)):
            raise ConfigError(
                f"{self.method.name} reads the streams {', '.join(sorted(own))}; data for {', '.join(missing)} is "
                f"missing: data: {{{', '.join(f'{s}: FILE' for s in sorted(own))}}}"
            )
        if unused := sorted(set(data) - own):
            raise ConfigError(f"{self.method.name} does not read the streams {', '.join(unused)}; remove their data")
        check_batch_size(self.method, self.settings.prompts_per_step)

    def _feed(self, stream: str, data: Dataset) -> Feed:
        seed, least = self.run.seed("order", self.name, stream), self.method.least_records
        data = self._encode(stream, data)
        if self.settings.privacy is not None:
            kind = self.method.streams[stream].kind
            check_rows(data, self.rows.get(stream, {}), together=kind.paired or "group" in kind.tensors)
            return PoissonFeed(data, seed)
        if data.windows is None:
            return Feed(data, seed, least=least)
        check_window(data, self.settings.prompts_per_step)
        return StreamFeed(data, seed, partial(self._encode_later, stream, self._brought(stream, data)), least)

    def _encode(self, stream: str, data: Dataset) -> Dataset:
        """Encode all records, instead of those before. Returns the dataset of those that can be used."""
        kind = self.method.streams[stream].kind
        if not kind.sampled:
            usable, self.rows[stream] = self.run.rows(data, kind.name, self.columns)
            return usable
        played = self.run.hosts is not None  # then the environment says what its episodes begin with
        usable, tokens = (data, {}) if played else self.run.prompts(data, self.sampling.max_tokens)
        self.prompts.setdefault(stream, {}).clear()
        self.prompts[stream].update(tokens)
        self._encode_references(stream, usable)
        return usable

    def _encode_references(self, stream: str, data: Dataset) -> None:
        """Encode the reference answers, where a guide writes them."""
        guides = [a.guide for a in self.method.streams[stream].sampling if a.guide]
        known = self.references.setdefault(stream, {})
        known.clear()
        if any(guide.by is None for guide in guides):
            known.update({p.id: reference_tokens(self.run, p) for p in data if isinstance(p, Prompt)})

    def _encode_later(self, stream: str, columns: set[str], window: Dataset) -> Dataset:
        """Encode a window of a stream. Raises DataError unless its rows bring the columns of the first one's."""
        with self.run.timers("encoding"):
            data = self._encode(stream, window)
        if len(data) and (odd := sorted(columns ^ self._brought(stream, data))):
            raise DataError(
                f"{data.name}: {odd[0]!r} is a number in some records and missing in others; the method reads it, so "
                "give it to all or to none"
            )
        return data

    def _brought(self, stream: str, data: Dataset) -> set[str]:
        """Return the names of the numbers that all rows of a stream of records bring."""
        return brought(data, self.rows[stream]) if self.rows.get(stream) else set()

    def _source(self, s: str) -> Rollouts:
        return Rollouts(
            self.run,
            self.name,
            self.method.streams[s],
            self.feeds[s],
            self.authors[s],
            self.rewards,
            self.prompts[s],
            references=self.references[s],
            prompts_per_step=self.settings.prompts_per_step,
            steps_ahead=self.settings.async_steps,
            max_age=self.sampling.max_age,
            spare_prompts=self.sampling.spare_prompts,
            replay=self._replay(s),
        )

    def _replay(self, s: str) -> Replay:
        prompts, batch = self.sampling.replay_prompts, self.settings.prompts_per_step
        if prompts >= batch:
            raise ConfigError(
                f"sampling.replay_prompts={prompts}: a step has {batch} prompts, and some need fresh answers; replay "
                f"at most {batch - 1}, or raise train.prompts_per_step"
            )
        return Replay(prompts, self.sampling.replay_steps, self.run.seed("replay", self.name, s))

    def arriving(self) -> dict[str, set[str]]:
        """Return the names of the tensors that the batches of each stream bring."""
        arrives = {s: set(stream.kind.tensors) for s, stream in self.method.streams.items()}
        for s, stream in self.method.streams.items():
            if stream.kind.sampled and self.rewards:
                arrives[s] |= {"reward", *episode_columns(self.method.columns, [r.name for r in self.rewards])}
            elif s in self.feeds:
                arrives[s] |= self._brought(s, self.feeds[s].dataset)
        return arrives

    def formulas(self) -> list[str]:
        """Describe what is made of the rewards, where it is more than their weighted sum."""
        shaped = [s.shaping for s in self.sources.values() if s.shaping and not s.shaping.plain]
        return [f"reward {formula}" for formula in dict.fromkeys(map(str, shaped))]

    @property
    def drawn_ahead(self) -> int:
        """Number of batches of the main stream whose answers are drawn before their step."""
        return len(self.sources[MAIN].ahead.drawn) if MAIN in self.sources else 0

    @property
    def epoch(self) -> float:
        """Number of passes over the main stream so far."""
        return self.feeds[MAIN].progress

    @property
    def answers(self) -> int:
        """Number of rows per record of the main stream."""
        return sum(a.samples for a in self.authors[MAIN]) or 1

    # ---- each step

    def take(self, step: int, total: int) -> tuple[dict[str, Batch] | None, dict[str, float]]:
        """Return the batch of every stream at a step of `total`, and the metrics of sampling.

        None instead of a batch: no answer can be trained on.
        """
        batches: dict[str, Batch] = {}
        metrics: dict[str, float] = {}
        main: list[Record] = []
        self.places = []
        self.episodes = ()
        for s, stream in self.method.streams.items():
            if stream.kind.sampled:
                batch, described = self._sampled(s, step, total)
                if batch is None:
                    return None, described
                batches[s], metrics = batch, {**metrics, **described}
                continue
            if stream.view is None:
                records = self.feeds[s].take(self.settings.prompts_per_step)
                rows = [row for r in records for row in self.rows[s][r.id]]
                main = records if s == MAIN else main
                if not rows:  # a private step may draw nobody
                    return None, metrics
                self.places += [r.where for r in records]
            else:
                encode = self.run.encoder.rows
                rows = [row for r in stream.view(main) for row in encode(r, stream.kind.name, self.columns)]
            batches[s] = paired(rows) if stream.kind.paired else collate(rows)
        return batches, metrics

    def _sampled(self, s: str, step: int, total: int) -> tuple[Batch | None, dict[str, float]]:
        """Return the batch of a stream of prompts (None if no answer can be trained on) and its metrics."""
        source = self.sources[s]
        drawn = source.take(step, total)
        self.episodes = drawn.seen
        self.drawn[s] = drawn
        self.places += [e.prompt.where for e in drawn.episodes]
        if not source.trained(drawn.episodes):
            return None, drawn.metrics
        weights = {r.name: r.weight for r in self.rewards if r.weight}
        alone = "pairs" in self.method.derived  # a pair compares whole answers
        how: dict[str, Any] = {"step": self.run.journal.steps, "wanted": self.columns, "weights": weights}
        rows = [
            _rows(
                e,
                alone=alone,
                train=self.authors[s][e.author].train,
                temperature=self.authors[s][e.author].temperature,
                **how,
            )
            for e in drawn.episodes
        ]
        self.last_rows[s] = [last - 1 for last in accumulate(map(len, rows))]
        every = list(chain.from_iterable(rows))
        return collate(every, scalars={"max_tokens": most_tokens(self.run.file)}), drawn.metrics

    def scored(self, scores: Mapping[str, Mapping[str, Tensor]]) -> dict[str, float]:
        """Give the step's episodes the scores of models, by stream and name; return statistics of rewards."""
        metrics: dict[str, float] = {}
        for s, named in scores.items():
            if s not in self.drawn:
                continue
            seen = list(self.drawn[s].seen)
            for row, place in zip(self.last_rows[s], self.drawn[s].chosen, strict=False):  # those replayed follow
                values = {name: float(x[row]) for name, x in named.items()}
                reward = values.pop(REWARD, seen[place].reward)
                seen[place] = replace(seen[place], reward=reward, rewards={**seen[place].rewards, **values})
            self.episodes = seen
            metrics |= describe([self.sources[s].trained(g) for g in groups(seen)])
            metrics |= {f"rewards/{name}/mean": float(x.mean()) for name, x in named.items() if name != REWARD}
        return metrics

    # ---- state

    def state(self) -> dict[str, Any]:
        """Return the positions in the data, its fingerprints, and the answers sampled for later steps."""
        return {
            "positions": {s: f.state() for s, f in self.feeds.items()},
            "data": {s: f.fingerprint for s, f in self.feeds.items()},
            "rollouts": {s: source.state() for s, source in self.sources.items()},
        }

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Continue from a `state`. Raises DataError if the records have changed."""
        for s, position in saved["positions"].items():
            self.feeds[s].restore(position)
        for s, fingerprint in saved["data"].items():
            if fingerprint != self.feeds[s].fingerprint:
                raise DataError(
                    f"{self.feeds[s].dataset.name}: the records have changed since the checkpoint (fingerprint "
                    f"{self.feeds[s].fingerprint} now, {fingerprint} then), so its position in them has no "
                    "meaning; restore the file, or start a new run from the model in the checkpoint"
                )
        for s, rollouts in saved["rollouts"].items():
            self.sources[s].restore(rollouts)


def _rows(e: Episode, *, alone: bool, **how: Any) -> list[Row]:
    """The rows of an episode; with `alone` its only one."""
    return [episode_row(e, **how)] if alone else episode_rows(e, **how)
