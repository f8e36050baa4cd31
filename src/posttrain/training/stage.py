"""One stage of training: records in, batches through the trainer, metrics, samples and checkpoints out."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from posttrain.core.method import MAIN, Method
from posttrain.core.tensors import ARRIVES, COLUMNS, Batch
from posttrain.data.collate import collate, paired, rollout_row
from posttrain.data.dataset import Dataset
from posttrain.data.feed import Feed
from posttrain.data.numeric_columns import brought
from posttrain.errors import ConfigError, DataError, NumericsError
from posttrain.machine.kill_points import at_step, maybe_kill
from posttrain.records import Prompt, Record, Rollout, Row
from posttrain.rewards.reward import Reward
from posttrain.runs.saver import Copy
from posttrain.seeds import seed_for
from posttrain.training.rollouts import Rollouts, answered_by
from posttrain.training.schedule import Rates
from posttrain.training.trainer import Trainer
from posttrain.turns import last_message

if TYPE_CHECKING:
    from posttrain.config.schema import Train
    from posttrain.training.session import Session

SHOWN = 12  # records that an error names


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
        self.sources = {s: self._source(s) for s, stream in method.streams.items() if stream.records == "prompts"}
        self.columns = method.reads & COLUMNS
        self.rows = {s: self._encode(s, d) for s, d in data.items()}
        self.total = self._total_steps()
        self.next_step = self.broken = 0  # broken: steps in a row whose loss or gradient was not finite
        maybe_kill("dataset")

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

    def _source(self, s: str) -> Rollouts:
        return Rollouts(
            self.session,
            self.name,
            self.method.streams[s],
            self.feeds[s],
            self.authors[s],
            self.rewards,
            prompts_per_step=self.settings.prompts_per_step,
            steps_ahead=self.settings.async_steps,
            spare_prompts=self.sampling.spare_prompts,
        )

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
        maybe_kill("prepare")
        if session.journal.saved is not None:
            self._restore(session.journal.saved)
            session.journal.saved = None
        session.display.start(self.name, self.total, self.header(), first_step=self.next_step)
        metrics: dict[str, float] = {}
        with session.signals.deferred():
            while self.next_step < self.total and not self._out_of_time():
                at_step(session.journal.steps + 1)
                metrics = self._one_step()
                self.next_step += 1
                session.journal.steps += 1
                self._log(metrics)
                every = self.settings.save_every
                session.boundary(self.snapshot, due=every is not None and self.next_step % every == 0)
        return metrics

    def skip(self) -> None:
        """Make the models that the stage made, for the checkpoint of a later one to fill."""
        self._trainer()

    def _out_of_time(self) -> bool:
        limit = self.settings.max_seconds
        return limit is not None and time.monotonic() - self.session.started >= limit

    def _one_step(self) -> dict[str, float]:
        maybe_kill("data")
        batches, metrics = self._batches()
        if batches is None:
            self.session.display.note(f"step {self.next_step + 1}: no answer could be trained on; nothing was updated")
            self.trainer.skip()
            return metrics
        try:
            with self.session.clock("training"):
                trained = self.trainer.train(batches)
        except NumericsError as error:
            self._pass_over(error)
            return {**metrics, "errors/broken_steps": float(self.broken)}
        self.broken = 0
        maybe_kill("trained")
        rates = self.trainer.rates(self.next_step)
        tokens = sum(len(b["tokens"]) for b in batches.values())
        return {**trained, **metrics, "learning_rate": rates[self.role], "num_tokens": float(tokens)}

    def _pass_over(self, error: NumericsError) -> None:
        """Say what the broken step read, and go on if it is not one too many."""
        session, step = self.session, self.session.journal.steps + 1
        if session.directory is not None and self.answers:
            session.journal.samples.write(step, self.answers)
        places = [p for p in dict.fromkeys(self.places) if p]
        read = f"; it read {', '.join(places[:SHOWN])}{', ...' * (len(places) > SHOWN)}" if places else ""
        self.broken += 1
        if self.broken > self.settings.broken_steps:
            raise NumericsError(f"{error}{read}") from error
        session.display.note(f"skipped: {error}{read}")
        self.trainer.skip()

    def _log(self, metrics: Mapping[str, float]) -> None:
        session = self.session
        row = {
            **metrics,
            "epoch": float(self.feeds[MAIN].position / len(self.feeds[MAIN].dataset)),
            **session.clock.read(),
        }
        seconds = sum(v for k, v in row.items() if k.startswith("time/"))
        row |= {"step_time": seconds, "tokens_per_second": row.get("num_tokens", 0.0) / max(seconds, 1e-9)}
        if session.directory is not None and session.journal.steps % self.settings.log_every == 0:
            session.journal.metrics.write(session.journal.steps, row)
        maybe_kill("metrics")
        session.display.step(self.next_step, row)

    # ---- batches

    def _batches(self) -> tuple[dict[str, Batch] | None, dict[str, float]]:
        batches: dict[str, Batch] = {}
        metrics: dict[str, float] = {}
        main: list[Record] = []
        self.places: list[str] = []  # what this step reads, for messages
        self.answers: Sequence[Rollout] = ()
        for s, stream in self.method.streams.items():
            if stream.records == "prompts":
                batch, described = self._rollouts(s)
                if batch is None:
                    return None, described
                batches[s], metrics = batch, {**metrics, **described}
                continue
            if stream.view is None:
                records = self.feeds[s].take(self.settings.prompts_per_step)
                rows = [row for r in records for row in self.rows[s][r.id]]
                main = records if s == MAIN else main
                self.places += [r.where for r in records]
            else:
                encode = self.session.encoder.rows
                rows = [row for r in stream.view(main) for row in encode(r, stream.records, self.columns)]
            batches[s] = paired(rows) if stream.records == "pairs" else collate(rows)
        return batches, metrics

    def _rollouts(self, s: str) -> tuple[Batch | None, dict[str, float]]:
        source = self.sources[s]
        drawn = source.take(self.next_step, last=self.next_step + 1 == self.total)
        self._write_samples(drawn.seen)
        rollouts, self.answers = drawn.rollouts, drawn.seen
        self.places += [r.prompt.where for r in rollouts]
        if not source.trained(rollouts):
            return None, drawn.metrics
        rows = [
            rollout_row(
                r,
                train=self.authors[s][r.author].train,
                temperature=self.authors[s][r.author].temperature,
                step=self.session.journal.steps,
            )
            for r in rollouts
        ]
        return collate(rows, scalars={"max_tokens": self.sampling.max_tokens}), drawn.metrics

    def _write_samples(self, rollouts: Sequence[Rollout]) -> None:
        session = self.session
        if rollouts:
            r = rollouts[0]
            session.display.sample(last_message(r.prompt.prompt), r.text, r.reward)
        if session.directory is not None and session.journal.steps % self.settings.samples_every == 0:
            session.journal.samples.write(session.journal.steps + 1, rollouts)

    # ---- state

    def snapshot(self) -> Copy:
        """A copy of what the next step depends on, and what writes the model that the stage is about."""
        made = self.trainer.snapshot(self.role)
        own = {"stage": self.name, "step": self.next_step, "positions": {s: f.position for s, f in self.feeds.items()}}
        own["data"] = {s: f.dataset.fingerprint for s, f in self.feeds.items()}
        own["rollouts"] = {s: source.state() for s, source in self.sources.items()}
        return {**own, "trainer": made.state}, made.write

    def _restore(self, saved: Mapping[str, Any]) -> None:
        if saved["stage"] != self.name:
            raise ConfigError(
                f"the checkpoint was saved in stage {saved['stage']}, and this run is in {self.name}: its method or "
                "procedure has changed; start a new run"
            )
        for s, fingerprint in saved["data"].items():
            if fingerprint != self.feeds[s].dataset.fingerprint:
                raise DataError(
                    f"{self.feeds[s].dataset.name}: the records are not those that the checkpoint was made with "
                    f"(fingerprint {self.feeds[s].dataset.fingerprint}, then {fingerprint}), so their order has no "
                    "meaning any more; put the file back, or start a new run from the model in the checkpoint"
                )
        self.next_step = int(saved["step"])
        self.trainer.restore(saved["trainer"])
        for s, position in saved["positions"].items():
            self.feeds[s].position = int(position)
        for s, rollouts in saved["rollouts"].items():
            self.sources[s].restore(rollouts)
        self.session.journal.steps = int(saved["global_step"])

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
            *(notice for r in self.rewards if isinstance(r, Reward) and (notice := r.notice())),
        ]
