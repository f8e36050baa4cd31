"""Rollouts: episodes for the prompts of a stream, scored as they finish and selected for the batch of a step.

They may be older than the weights that they train: sampled ahead of the training (`async_steps`), begun for an earlier
step and finished in this one (`spare_prompts`), or trained on before (`replay_prompts`). Every token is tagged
with the number of training steps behind the weights that sampled it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, cast

from posttrain.core.method import Sampling, Stream
from posttrain.data.collate import groups
from posttrain.data.feed import Feed
from posttrain.environments.hosts import Hosts
from posttrain.errors import ConfigError
from posttrain.machine.kill_points import maybe_kill
from posttrain.records import Episode, Prompt
from posttrain.rewards.reward import Reward
from posttrain.rewards.shaping.shaping import Baselines
from posttrain.sampling.request import Completion, Distribution
from posttrain.sampling.statistics import describe, staleness
from posttrain.training.baselines import baselines
from posttrain.training.batch_queue import BatchQueue
from posttrain.training.drafts import Draft, Group
from posttrain.training.drawn import Drawn
from posttrain.training.episodes import Key, episode, request, with_opponents
from posttrain.training.guided import begin, divided, writer
from posttrain.training.playing import described, play
from posttrain.training.replay import Replay
from posttrain.training.run import Run

REFILLS = 4  # a stream that keeps only some groups samples at most this multiple of its prompts per step


class Rollouts:
    """The episodes of one stream, step after step. Steps must be taken in order.

    `tokens`: those of each prompt by id. `references`: those of its reference answer, where a guide writes it.
    """

    def __init__(
        self,
        run: Run,
        name: str,
        stream: Stream,
        feed: Feed,
        authors: Sequence[Sampling],
        rewards: tuple[Reward, ...],
        tokens: Mapping[int, tuple[int, ...]],
        *,
        references: Mapping[int, tuple[int, ...]] = MappingProxyType({}),
        prompts_per_step: int,
        steps_ahead: int = 0,
        max_age: int | None = None,
        spare_prompts: int = 0,
        replay: Replay | None = None,
    ) -> None:
        if spare_prompts and len(authors) > 1:
            raise ConfigError(
                f"sampling.spare_prompts={spare_prompts}: {len(authors)} authors answer each prompt here, one after "
                "the other; answers can only continue in a later step where one author writes them all: set it to 0"
            )
        if (stream.keep or stream.choose) and not rewards:
            raise ConfigError(
                f"{name} chooses answers by their rewards while it samples, and no reward function scores them: add "
                "rewards: [{path: reward_model, model: FOLDER}], or another reward"
            )
        self.run = run
        self.name = name
        self.stream = stream
        self.feed = feed
        self.rewards = rewards
        self.tokens = tokens
        self.references = references
        self.authors = tuple(authors)
        self.wanted = prompts_per_step
        self.max_age = max_age
        self.spare = spare_prompts
        self.replay = replay or Replay(0, 0, 0)
        self.shaping = run.shaping(rewards) if rewards else None
        self.baselines: Baselines | None = None
        if self.shaping and self.shaping.needs_baseline:
            self.baselines = baselines(run, name, feed.dataset, rewards, tokens)
        self.ahead = BatchQueue(steps_ahead)
        self.underway: list[Group] = []

    def take(self, step: int, total: int) -> Drawn:
        """Return the episodes of a step of `total`, and draw ahead before it trains. What is too old is left out."""
        drawn = self.ahead.take(step, total, self._draw)
        if self.max_age is not None:
            drawn = drawn.recent(self.run.journal.steps, self.max_age)
        if not self.ahead.steps and not self.spare and not self.replay.prompts:
            return drawn
        ages = staleness(self.trained(drawn.episodes), self.run.journal.steps)
        return replace(drawn, metrics=drawn.metrics | ages)

    def trained(self, episodes: Sequence[Episode]) -> list[Episode]:
        """Select the episodes whose author is trained."""
        return [e for e in episodes if self.authors[e.author].train]

    # ---- drawing

    def _draw(self, step: int) -> Drawn:
        """Sample prompts until the method keeps enough groups, and add those that are replayed."""
        seen: list[Episode] = []
        kept: dict[int, list[Episode]] = {}
        asked, replayed = 0, self.replay.ready(step)
        wanted = self.wanted - replayed
        while len(kept) < wanted and asked < REFILLS * wanted:
            asked += self._ask(wanted - len(kept), step, kept)
            for group in self._episodes(wanted - len(kept)):
                seen += group
                if self.stream.keep is None or self.stream.keep(self.trained(group)):
                    kept[group[0].prompt.id] = group
            if self.stream.keep is None:
                break
        places, usable = {id(e): i for i, e in enumerate(seen)}, [self._usable(g) for g in kept.values()]
        chosen = [places[id(e)] for group in usable for e in group]
        again = self.replay.take(step, replayed, kept)
        self.replay.keep(step, usable)
        metrics = describe([self.trained(g) for g in groups(seen)]) | self.run.sampler.metrics()
        metrics |= {"rollouts/dropped": float(len(seen) - len(chosen))} | described(seen)
        if self.shaping:
            metrics |= self.run.scorer(self.rewards).metrics() | self.shaping.metrics()
        if self.replay.prompts:
            metrics |= {"rollouts/replayed": float(len(again))}
        return Drawn(seen, chosen, metrics, again)

    def _ask(self, missing: int, step: int, kept: Mapping[int, object]) -> int:
        """Add new prompts to those underway; return how many were taken from the feed."""
        taken = self.feed.take(max(0, missing + self.spare - len(self.underway)))
        busy = {g.prompt.id for g in self.underway} | set(kept)
        self.underway += [self._group(cast(Prompt, p), step) for p in taken if p.id not in busy]
        return len(taken)

    def _group(self, prompt: Prompt, step: int) -> Group:
        drafts = {key: Draft() for key in self._keys()}
        return Group(prompt, step, self.tokens.get(prompt.id, ()), drafts)

    def _keys(self) -> Iterator[Key]:
        for author, sampling in enumerate(self.authors):
            for sample in range(sampling.samples):
                yield author, sample

    def _episodes(self, wanted: int) -> list[list[Episode]]:
        """Write episodes and return the first complete groups, scored."""
        with self.run.timers("sampling"):
            for author in range(len(self.authors)):
                self._write(author, min(wanted, len(self.underway)))
        maybe_kill("sampling")
        done = [g for g in self.underway if g.episodes is not None][:wanted]
        self.underway = [g for g in self.underway if g not in done]
        with self.run.timers("rewards"):
            episodes = [e for g in done for e in g.episodes or ()]
            scored = self.run.score(episodes, self.rewards, self.shaping, self.baselines)
        return groups(scored)

    def _write(self, author: int, enough: int) -> None:
        """Let one author answer all prompts underway, or with spare prompts, until enough of them are complete."""
        sampling = self.authors[author]
        complete = sum(g.episodes is not None for g in self.underway)
        if self.spare and complete >= enough:
            return
        places = [(g, (author, k)) for g in self.underway for k in range(sampling.samples)]
        places = [(g, key) for g, key in places if not g.drafts[key].finished]
        if self.run.hosts is not None:
            self._play(self.run.hosts, sampling, places)
            return
        if sampling.guide:
            begin(self.run, self.name, sampling, sampling.guide, places, self.references)
            for g in self.underway:
                if g.episodes is None:
                    self._completed(g)  # by its guides alone
        by_writer: dict[Distribution, list[tuple[Group, Key]]] = {}
        for g, key in places:
            if not g.drafts[key].finished:
                by_writer.setdefault(writer(sampling, g.drafts[key]), []).append((g, key))
        for source, own in by_writer.items():
            self._go_on(sampling, source, own, enough)

    def _go_on(
        self, sampling: Sampling, source: Distribution, places: Sequence[tuple[Group, Key]], enough: int
    ) -> None:
        """Let one writer finish drafts, or with spare prompts, write until enough groups are complete."""
        complete = sum(g.episodes is not None for g in self.underway)
        if self.spare and complete >= enough:
            return

        def on_finished(number: int, completion: Completion) -> bool:
            nonlocal complete
            group, key = places[number]
            group.drafts[key].partial = completion
            complete += self._completed(group)
            return bool(self.spare) and complete >= enough

        requests = [
            request(
                self.run, g.prompt, g.tokens, sampling, (self.name, g.step), key,
                partial=g.drafts[key].partial, before=g.drafts[key].tokens,
            )
            for g, key in places
        ]  # fmt: skip
        completions = self.run.generate(requests, source, on_finished)
        for (group, key), completion in zip(places, completions, strict=True):
            group.drafts[key].partial = completion

    def _play(self, hosts: Hosts, sampling: Sampling, places: Sequence[tuple[Group, Key]]) -> None:
        """Let one author play episodes in the environment."""

        def over(place: int, episode: Episode) -> None:
            group, key = places[place]
            group.drafts[key] = Draft(played=episode)
            self._completed(group)

        wanted = [(g.prompt, key, (self.name, g.step)) for g, key in places]
        play(self.run, hosts, wanted, sampling, over=over)

    def _completed(self, group: Group) -> bool:
        """Whether all episodes of a group are finished. If so, start their rewards while other groups are written."""
        if not all(draft.finished for draft in group.drafts.values()):
            return False
        written = [self._episode(group, key, draft) for key, draft in group.drafts.items()]
        group.episodes = with_opponents(written, len(self.authors))
        if self.rewards and (whole := [e for e in group.episodes if not e.error]):
            self.run.scorer(self.rewards).start(whole)
        return True

    def _episode(self, group: Group, key: Key, draft: Draft) -> Episode:
        if draft.played is not None:
            return draft.played
        made = episode(self.run, group.prompt, group.tokens, key, draft.partial, before=draft.segments)
        guide = self.authors[key[0]].guide
        return divided(self.run, made, guide) if guide else made

    def _usable(self, group: Sequence[Episode]) -> list[Episode]:
        """Select the scored episodes that the method chooses.

        If an opponent or baseline has no score, the whole group is dropped.
        """
        if not self.rewards:
            return [e for e in group if not e.error]
        if any(e.reward is None and not self.authors[e.author].train for e in group):
            return []
        scored = [e for e in group if e.reward is not None]
        return scored if self.stream.choose is None else list(self.stream.choose(scored))

    # ---- state

    def state(self) -> dict[str, Any]:
        """Return the episodes sampled for later steps, token by token, as plain data."""
        return {
            "ahead": self.ahead.state(),
            "underway": [g.state() for g in self.underway],
            "replay": self.replay.state(),
            "shaping": self.shaping.state() if self.shaping else {},
        }

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Continue from a `state`."""
        if self.shaping:
            self.shaping.restore(saved.get("shaping", {}))
        prompts = {p.id: cast(Prompt, p) for p in self.feed.dataset}
        self.ahead.restore(saved["ahead"], list(prompts.values()))
        self.replay.restore(saved.get("replay", []), prompts)
        self.underway = []
        for kept in saved["underway"]:
            group = self._group(prompts[kept["prompt_id"]], kept["step"])
            for author, sample, *draft in kept["answers"]:
                group.drafts[author, sample] = Draft.restored(draft)
            self._completed(group)
            self.underway.append(group)
