"""Answers to the prompts of a stream: asked for, scored as they finish, chosen for the batch of a step.

Answers may be older than the weights that they train: drawn one step ahead of the training (`async_steps`), or begun
for an earlier step and finished in this one (`spare_prompts`). Every token carries the version that it was drawn from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, cast

from posttrain.core.method import Method, Sampling, Stream
from posttrain.data.collate import groups
from posttrain.data.feed import Feed
from posttrain.errors import ConfigError
from posttrain.machine.kill_points import maybe_kill
from posttrain.records import Prompt, Rollout
from posttrain.rewards.reward import Reward
from posttrain.runs.rounds import as_rollouts, as_row
from posttrain.sampling.request import NOTHING, Completion, Request
from posttrain.sampling.statistics import describe, staleness
from posttrain.seeds import seed_for

if TYPE_CHECKING:
    from posttrain.training.session import Session

REFILLS = 4  # a stream that keeps only some groups draws at most so many times its prompts per step
Names = tuple[str | int, ...]


@dataclass
class Group:
    """A prompt and what there is of its answers. The step that it was first asked for names their seeds."""

    prompt: Prompt
    step: int
    tokens: tuple[int, ...]
    answers: dict[tuple[int, int], Completion] = field(default_factory=dict)  # (author, sample)
    rollouts: list[Rollout] | None = None  # once all are finished

    def state(self) -> dict[str, Any]:
        answers = [[a, k, c.tokens, c.logp, c.versions, c.ended, c.finished] for (a, k), c in self.answers.items()]
        return {"prompt_id": self.prompt.id, "step": self.step, "answers": answers}


@dataclass(frozen=True)
class Drawn:
    """All answers that were seen for a step, and which of them it trains on."""

    seen: list[Rollout]
    chosen: list[int]
    metrics: dict[str, float]

    @property
    def rollouts(self) -> list[Rollout]:
        return [self.seen[i] for i in self.chosen]

    def state(self) -> dict[str, Any]:
        return {"seen": [as_row(r) for r in self.seen], "chosen": self.chosen, "metrics": self.metrics}


class Rollouts:
    """The answers of one stream, step after step. Steps must be taken in order."""

    def __init__(
        self,
        session: Session,
        name: str,
        stream: Stream,
        feed: Feed,
        authors: Sequence[Sampling],
        rewards: tuple[Reward, ...],
        *,
        prompts_per_step: int,
        steps_ahead: int = 0,
        spare_prompts: int = 0,
    ) -> None:
        if spare_prompts and len(authors) > 1:
            raise ConfigError(
                f"sampling.spare_prompts={spare_prompts}: {len(authors)} authors answer each prompt here, one after "
                "the other; answers can only go on in a later step where one author writes them all: set it to 0"
            )
        self.session, self.name, self.stream, self.feed, self.rewards = session, name, stream, feed, rewards
        self.authors, self.wanted = tuple(authors), prompts_per_step
        self.steps_ahead, self.spare = steps_ahead, spare_prompts
        self.ahead: Drawn | None = None  # of the next step
        self.underway: list[Group] = []

    def take(self, step: int, *, last: bool) -> Drawn:
        """What a step trains on. If answers are drawn ahead, those of the next step are drawn now, before it trains."""
        drawn, self.ahead = self.ahead or self._draw(step), None
        if self.steps_ahead and not last:
            self.ahead = self._draw(step + 1)
        if not self.steps_ahead and not self.spare:
            return drawn
        ages = staleness(self.trained(drawn.rollouts), self.session.journal.steps)
        return replace(drawn, metrics=drawn.metrics | ages)

    def trained(self, rollouts: Sequence[Rollout]) -> list[Rollout]:
        return [r for r in rollouts if self.authors[r.author].train]

    # ---- drawing

    def _draw(self, step: int) -> Drawn:
        """Answer prompts until enough groups are what the method wants."""
        seen: list[Rollout] = []
        kept: dict[int, list[Rollout]] = {}
        asked = 0
        while len(kept) < self.wanted and asked < REFILLS * self.wanted:
            asked += self._ask(self.wanted - len(kept), step, kept)
            for group in self._answers(self.wanted - len(kept)):
                seen += group
                if self.stream.keep is None or self.stream.keep(self.trained(group)):
                    kept[group[0].prompt.id] = group
            if self.stream.keep is None:
                break
        places = {id(r): i for i, r in enumerate(seen)}
        chosen = [places[id(r)] for group in kept.values() for r in self._whole(group)]
        metrics = describe([self.trained(g) for g in groups(seen)]) | self.session.backend.metrics()
        metrics |= {"rollouts/dropped": float(len(seen) - len(chosen))}
        if self.rewards:
            metrics |= self.session.scorer(self.rewards).metrics()
        return Drawn(seen, chosen, metrics)

    def _ask(self, missing: int, step: int, kept: Mapping[int, object]) -> int:
        """New prompts beside those that are underway; returns how many were looked at."""
        taken = self.feed.take(max(0, missing + self.spare - len(self.underway)))
        busy = {g.prompt.id for g in self.underway} | set(kept)
        new = [cast(Prompt, p) for p in taken if p.id not in busy]
        self.underway += [Group(p, step, self.session.encoder.prompt(p)) for p in new]
        return len(taken)

    def _answers(self, wanted: int) -> list[list[Rollout]]:
        """The first groups that are complete, scored."""
        with self.session.clock("sampling"):
            for author in range(len(self.authors)):
                self._write(author, min(wanted, len(self.underway)))
        maybe_kill("sampling")
        done = [g for g in self.underway if g.rollouts is not None][:wanted]
        self.underway = [g for g in self.underway if g not in done]
        with self.session.clock("rewards"):
            scored = self.session.score([r for g in done for r in g.rollouts or ()], self.rewards)
        maybe_kill("rewards")
        return groups(scored)

    def _write(self, author: int, enough: int) -> None:
        """One author's answers to all prompts underway; with spare prompts until enough of them are complete."""
        how, complete = self.authors[author], sum(g.rollouts is not None for g in self.underway)
        if self.spare and complete >= enough:
            return
        keys = [(g, (author, k)) for g in self.underway for k in range(how.samples)]
        places = [(g, key) for g, key in keys if not g.answers.get(key, NOTHING).finished]

        def on_finished(number: int, completion: Completion) -> bool:
            nonlocal complete
            group, key = places[number]
            group.answers[key] = completion
            complete += self._completed(group)
            return bool(self.spare) and complete >= enough

        requests = [
            request(
                self.session, g.prompt, g.tokens, how, (self.name, g.step), key, partial=g.answers.get(key, NOTHING)
            )
            for g, key in places
        ]
        answers = self.session.backend.generate(requests, how.mix, on_finished=on_finished)
        for (group, key), completion in zip(places, answers, strict=True):
            group.answers[key] = completion

    def _completed(self, group: Group) -> bool:
        """Whether all answers of a group are there: then their rewards are computed while others are written."""
        keys = [(author, k) for author, how in enumerate(self.authors) for k in range(how.samples)]
        if not all(group.answers.get(key, NOTHING).finished for key in keys):
            return False
        made = [rollout(self.session, group.prompt, group.tokens, key, group.answers[key]) for key in keys]
        group.rollouts = with_opponents(made, len(self.authors))
        if self.rewards:
            self.session.scorer(self.rewards).start(group.rollouts)
        return True

    def _whole(self, group: Sequence[Rollout]) -> list[Rollout]:
        """Answers that were scored. An unscored opponent or baseline takes its whole group with it."""
        if not self.rewards:
            return list(group)
        if any(r.reward is None and not self.authors[r.author].train for r in group):
            return []
        return [r for r in group if r.reward is not None]

    # ---- state

    def state(self) -> dict[str, Any]:
        """What was drawn for steps to come, token by token, as plain data."""
        return {
            "ahead": None if self.ahead is None else self.ahead.state(),
            "underway": [g.state() for g in self.underway],
        }

    def restore(self, saved: Mapping[str, Any]) -> None:
        prompts = {p.id: cast(Prompt, p) for p in self.feed.dataset}
        if saved["ahead"] is not None:
            seen = as_rollouts(saved["ahead"]["seen"], list(prompts.values()))
            self.ahead = Drawn(seen, saved["ahead"]["chosen"], saved["ahead"]["metrics"])
        self.underway = []
        for group in saved["underway"]:
            prompt = prompts[group["prompt_id"]]
            made = Group(prompt, group["step"], self.session.encoder.prompt(prompt))
            for author, sample, tokens, logp, versions, ended, finished in group["answers"]:
                made.answers[author, sample] = Completion(tuple(tokens), tuple(logp), ended, tuple(versions), finished)
            self._completed(made)
            self.underway.append(made)


# ---- one answer


def _partial(group: Group, key: tuple[int, int]) -> Completion:
    return group.answers.get(key, NOTHING)


def request(
    session: Session,
    prompt: Prompt,
    tokens: tuple[int, ...],
    how: Sampling,
    names: Names,
    key: tuple[int, int],
    *,
    partial: Completion = NOTHING,
    max_tokens: int | None = None,
) -> Request:
    """A request for the sample `key` (author, number) of a prompt. Its seed derives from the names."""
    sampling = session.run.sampling
    return Request(
        prompt=tokens,
        seed=seed_for(session.run.seed, "rollout", *names, prompt.id, *key),
        max_tokens=max_tokens or sampling.max_tokens,
        temperature=how.temperature,
        top_k=sampling.top_k,
        top_p=sampling.top_p,
        partial=partial,
        version=session.journal.steps,
    )


def rollout(
    session: Session, prompt: Prompt, tokens: tuple[int, ...], key: tuple[int, int], answer: Completion
) -> Rollout:
    """The record of an answer."""
    text = session.encoder.text(answer.tokens)
    author, sample = key
    return Rollout(
        prompt, author, sample, tokens, answer.tokens, answer.logp, answer.ended, text=text, versions=answer.versions
    )


def answered_by(method: Method, stream: str, *, samples: int | None, temperature: float | None) -> tuple[Sampling, ...]:
    """The authors of a stream, with what the run file sets for those that are trained."""

    def changed(how: Sampling) -> Sampling:
        one = not how.train and how.temperature == 0  # a second greedy answer would be the same
        return replace(
            how,
            samples=how.samples if samples is None or one else samples,
            temperature=how.temperature if temperature is None or not how.train else temperature,
        )

    return tuple(changed(how) for how in method.streams[stream].sampling)


def with_opponents(rollouts: list[Rollout], authors: int) -> list[Rollout]:
    """With several authors every answer gets the column `opponent`, the text of another author's answer."""
    if authors < 2:
        return rollouts
    texts: dict[tuple[int, int], list[str]] = {}
    for r in rollouts:
        texts.setdefault((r.prompt.id, r.author), []).append(r.text)

    def against(r: Rollout) -> Rollout:
        others = texts[r.prompt.id, (r.author + 1) % authors]
        columns = {**r.prompt.columns, "opponent": others[r.sample % len(others)]}
        return replace(r, prompt=replace(r.prompt, columns=columns))

    return [against(r) for r in rollouts]
