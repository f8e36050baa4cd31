"""One stage of training: records in, batches through the trainer, metrics, samples and checkpoints out."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from posttrain.data.collate import collate, groups, paired, rollout_row
from posttrain.data.dataset import Dataset
from posttrain.data.feed import Feed
from posttrain.data.numbers import brought
from posttrain.errors import ConfigError
from posttrain.method import MAIN, Method, Sampling, Stream
from posttrain.records import Prompt, Record, Rollout, Row
from posttrain.rewards.reward import Reward
from posttrain.sampling.describe import describe
from posttrain.schedule import Rates
from posttrain.seeds import seed_for
from posttrain.tensors import ARRIVES, COLUMNS, Batch
from posttrain.trainer import Trainer

if TYPE_CHECKING:
    from posttrain.config.schema import Train
    from posttrain.session import Session

REFILLS = 4  # a stream that keeps only some groups draws at most so many times its prompts per step


class Stage:
    """A method on its data, from step 0 (or where a checkpoint left it) to its last step."""

    def __init__(
        self,
        session: Session,
        method: Method,
        data: Mapping[str, Dataset],
        *,
        rewards: Sequence[Reward],
        train: Train,
        name: str,
    ) -> None:
        self.session, self.method, self.settings, self.name = session, method, train, name
        self.rewards = tuple(rewards)
        self.feeds = {s: Feed(d, seed_for(session.run.seed, "order", name, s)) for s, d in data.items()}
        self._check_streams()
        self.sampling = session.run.sampling
        self.authors = {
            s: answered_by(method, s, samples=self.sampling.samples, temperature=self.sampling.temperature)
            for s in method.streams
        }
        self.columns = method.reads & COLUMNS
        self.rows = {s: self._encode(s, d) for s, d in data.items()}
        self.total = self._total_steps()
        self.next_step = 0

    # ---- before the first step

    def _check_streams(self) -> None:
        own = {s for s, stream in self.method.streams.items() if stream.view is None}
        if missing := sorted(own - set(self.feeds)):
            raise ConfigError(
                f"{self.method.name} reads the streams {', '.join(sorted(own))}; data for {', '.join(missing)} is "
                f"missing: data: {{{', '.join(f'{s}: FILE' for s in sorted(own))}}}"
            )
        if unused := sorted(set(self.feeds) - own):
            raise ConfigError(f"{self.method.name} does not read the streams {', '.join(unused)}; remove their data")

    def _encode(self, stream: str, data: Dataset) -> dict[int, list[Row]]:
        """All records as rows, at the start, so that bad input stops the run before any work is done."""
        kind = self.method.streams[stream].records
        encoder = self.session.encoder
        if kind != "prompts":
            return {r.id: encoder.rows(r, kind, self.columns) for r in data}
        for record in data:
            encoder.prompt(cast(Prompt, record), room=self.sampling.max_tokens)
        return {}

    def _total_steps(self) -> int:
        per_epoch = self.feeds[MAIN].steps_per_epoch(self.settings.prompts_per_step)
        if self.settings.steps is not None:
            return int(self.settings.steps)
        return max(1, round((self.settings.epochs or 1) * per_epoch))

    def _trainer(self) -> Trainer:
        arrives = {s: set(ARRIVES[stream.records]) for s, stream in self.method.streams.items()}
        for s, stream in self.method.streams.items():
            if stream.records == "prompts" and self.rewards:
                arrives[s].add("reward")
            elif self.rows.get(s):
                arrives[s] |= brought(self.feeds[s].dataset, self.rows[s])
        t = self.settings
        trainer = Trainer(self.method, self.session.backend, arrives, rates=lambda _: {}, seed=self.session.run.seed)
        roles = trainer.plan.trained
        self.role = "policy" if "policy" in roles else roles[0]
        if isinstance(t.learning_rate, Mapping) and (lacking := sorted(set(roles) - set(t.learning_rate))):
            raise ConfigError(
                f"train.learning_rate names no rate for {', '.join(lacking)}, which {self.method.name} trains"
            )
        trainer.rates = Rates(t.learning_rate, roles, self.total, t.schedule, t.warmup)
        return trainer

    # ---- the loop

    def run(self) -> dict[str, float]:
        session = self.session
        self.trainer = self._trainer()
        if session.saved is not None:
            self._restore(session.saved)
            session.saved = None
        session.display.start(self.name, self.total, self.header(), first_step=self.next_step)
        metrics: dict[str, float] = {}
        while self.next_step < self.total and not self._out_of_time():
            metrics = self._one_step()
            self.next_step += 1
            session.steps += 1
            self._log(metrics)
            if self.settings.save_every and self.next_step % self.settings.save_every == 0:
                session.checkpoint(self.state(), self.role)
        return metrics

    def skip(self) -> None:
        """Make the models that the stage made, for the checkpoint of a later one to fill."""
        self._trainer()

    def _out_of_time(self) -> bool:
        limit = self.settings.max_seconds
        return limit is not None and time.monotonic() - self.session.started >= limit

    def _one_step(self) -> dict[str, float]:
        batches, metrics = self._batches()
        if batches is None:
            self.session.display.note(f"step {self.next_step + 1}: no answer could be trained on; nothing was updated")
            return metrics
        with self.session.clock("training"):
            trained = self.trainer.train(batches)
        rates = self.trainer.rates(self.next_step)
        tokens = sum(len(b["tokens"]) for b in batches.values())
        return {**trained, **metrics, "learning_rate": rates[self.role], "num_tokens": float(tokens)}

    def _log(self, metrics: Mapping[str, float]) -> None:
        session = self.session
        row = {
            **metrics,
            "epoch": float(self.feeds[MAIN].position / len(self.feeds[MAIN].dataset)),
            **session.clock.read(),
        }
        seconds = sum(v for k, v in row.items() if k.startswith("time/"))
        row |= {"step_time": seconds, "tokens_per_second": row.get("num_tokens", 0.0) / max(seconds, 1e-9)}
        if session.directory is not None and session.steps % self.settings.log_every == 0:
            session.metrics.write(session.steps, row)
        session.display.step(self.next_step, row)

    # ---- batches

    def _batches(self) -> tuple[dict[str, Batch] | None, dict[str, float]]:
        batches: dict[str, Batch] = {}
        metrics: dict[str, float] = {}
        main: list[Record] = []
        for s, stream in self.method.streams.items():
            if stream.records == "prompts":
                batch, described = self._rollouts(s, stream)
                if batch is None:
                    return None, described
                batches[s], metrics = batch, {**metrics, **described}
                continue
            if stream.view is None:
                records = self.feeds[s].take(self.settings.prompts_per_step)
                rows = [row for r in records for row in self.rows[s][r.id]]
                main = records if s == MAIN else main
            else:
                encode = self.session.encoder.rows
                rows = [row for r in stream.view(main) for row in encode(r, stream.records, self.columns)]
            batches[s] = paired(rows) if stream.records == "pairs" else collate(rows)
        return batches, metrics

    def _rollouts(self, s: str, stream: Stream) -> tuple[Batch | None, dict[str, float]]:
        """Sample every author, score, keep the groups that the method wants, until the batch is full."""
        wanted, drawn = self.settings.prompts_per_step, 0
        kept: dict[int, list[Rollout]] = {}
        seen: list[Rollout] = []
        while len(kept) < wanted and drawn < REFILLS * wanted:
            prompts = [cast(Prompt, p) for p in self.feeds[s].take(wanted - len(kept)) if p.id not in kept]
            drawn += len(prompts)
            scored = self._answers(s, prompts)
            seen += scored
            for group in groups(scored):
                if stream.keep is None or stream.keep(self._trained(s, group)):
                    kept[group[0].prompt.id] = group
            if stream.keep is None:
                break
        rollouts = [r for group in kept.values() for r in self._whole(s, group)]
        metrics = describe([self._trained(s, g) for g in groups(seen)])
        metrics |= {"rollouts/dropped": float(len(seen) - len(rollouts))} | self._scoring_metrics()
        self._write_samples(seen)
        if not any(self.authors[s][r.author].train for r in rollouts):
            return None, metrics
        rows = [
            rollout_row(
                r,
                train=self.authors[s][r.author].train,
                temperature=self.authors[s][r.author].temperature,
                step=self.session.steps,
            )
            for r in rollouts
        ]
        return collate(rows, scalars={"max_tokens": self.sampling.max_tokens}), metrics

    def _answers(self, s: str, prompts: Sequence[Prompt]) -> list[Rollout]:
        answers: list[Rollout] = []
        with self.session.clock("sampling"):
            for author, how in enumerate(self.authors[s]):
                names = (self.name, self.next_step)
                answers += self.session.sample(prompts, how, names=names, author=author)
        with self.session.clock("rewards"):
            return self.session.score(with_opponents(answers, len(self.authors[s])), self.rewards)

    def _trained(self, s: str, group: Sequence[Rollout]) -> list[Rollout]:
        return [r for r in group if self.authors[s][r.author].train]

    def _whole(self, s: str, group: Sequence[Rollout]) -> list[Rollout]:
        """Answers that were scored. An unscored opponent or baseline takes its whole group with it."""
        if not self.rewards:
            return list(group)
        if any(r.reward is None and not self.authors[s][r.author].train for r in group):
            return []
        return [r for r in group if r.reward is not None]

    def _scoring_metrics(self) -> dict[str, float]:
        return self.session.scorer(self.rewards).metrics() if self.rewards else {}

    def _write_samples(self, rollouts: Sequence[Rollout]) -> None:
        session = self.session
        if rollouts:
            r = rollouts[0]
            session.display.sample(question(r.prompt), r.text, r.reward)
        if session.directory is not None and session.steps % self.settings.samples_every == 0:
            session.samples.write(session.steps + 1, rollouts)

    # ---- state

    def state(self) -> dict[str, Any]:
        return {
            "stage": self.name,
            "step": self.next_step,
            "trainer": self.trainer.state(),
            "positions": {s: f.position for s, f in self.feeds.items()},
        }

    def _restore(self, saved: Mapping[str, Any]) -> None:
        self.next_step = int(saved["step"])
        self.trainer.restore(saved["trainer"])
        for s, position in saved["positions"].items():
            self.feeds[s].position = int(position)
        self.session.steps = int(saved["global_step"])

    def header(self) -> list[str]:
        """Batch arithmetic, for the display."""
        plan, t = self.trainer.plan, self.settings
        answers = sum(a.samples for a in self.authors[MAIN]) or 1
        rows = t.prompts_per_step * answers
        updates = self.method.passes * self.method.minibatches
        return [
            f"method {self.method.name}: trains {', '.join(plan.trained)}; loads {', '.join(plan.loaded)}",
            f"batch  {t.prompts_per_step} records x {answers} = {rows} rows a step, {updates} update(s), "
            f"at most {t.tokens_per_device} tokens at once",
        ]


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


def question(prompt: Prompt) -> str:
    """What was asked, for a person: the last message of a conversation."""
    return prompt.prompt if isinstance(prompt.prompt, str) else str(prompt.prompt[-1]["content"])
