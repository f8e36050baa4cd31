"""One stage of training: records in, batches through the trainer, metrics, samples and checkpoints out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from posttrain.core.batch import Batch
from posttrain.core.method import MAIN, Method
from posttrain.core.plan import Plan, plan
from posttrain.data.collate import collate, episode_columns, episode_row, paired
from posttrain.data.dataset import Dataset
from posttrain.data.feed import Feed
from posttrain.data.numeric_columns import brought
from posttrain.errors import ConfigError, DataError, NumericsError
from posttrain.machine.kill_points import at_step, maybe_kill
from posttrain.records import Episode, Prompt, Record, Row
from posttrain.rewards.reward import Reward
from posttrain.runs.saver import Copy
from posttrain.training.evaluation import Evaluations
from posttrain.training.rollouts import Rollouts, authors_of
from posttrain.training.run import Run
from posttrain.training.schedule import Rates
from posttrain.training.text_roles import check_token_roles
from posttrain.training.trainer import Trainer
from posttrain.turns import last_message

if TYPE_CHECKING:
    from posttrain.config.schema import Train

SHOWN = 12  # records that an error names


class Stage:
    """A method on its data, from step 0 (or where a checkpoint left it) to its last step."""

    def __init__(
        self,
        run: Run,
        method: Method,
        data: Mapping[str, Dataset],
        *,
        rewards: Sequence[Reward],
        train: Train,
        name: str,
        evaluations: Evaluations,
    ) -> None:
        self.run = run
        self.method = method
        self.settings = train
        self.name = name
        self.rewards = tuple(rewards)
        self.evaluations = evaluations
        self.feeds = {s: Feed(d, run.seed("order", name, s)) for s, d in data.items()}
        self._check_streams()
        self.sampling = run.file.sampling
        self.authors = {
            s: authors_of(method, s, samples=self.sampling.samples, temperature=self.sampling.temperature)
            for s in method.streams
        }
        self.sources = {s: self._source(s) for s, stream in method.streams.items() if stream.kind.sampled}
        self.columns = method.columns
        self.rows = {s: self._encode(s, d) for s, d in data.items()}
        self.total = self._total_steps()
        self.next_step = 0
        self.broken = 0  # steps in a row whose loss or gradient was not finite
        self.places: list[str] = []  # where the records of the present step come from, for messages
        self.episodes: Sequence[Episode] = ()  # what was sampled for the present step
        maybe_kill("dataset")
        self.trainer = self._trainer()
        self.role = "policy" if "policy" in self.trainer.plan.trained else self.trainer.plan.trained[0]
        maybe_kill("prepare")

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
        kind = self.method.streams[stream].kind
        encoder = self.run.encoder
        if not kind.sampled:
            return {r.id: encoder.rows(r, kind.name, self.columns) for r in data}
        for record in data:
            encoder.prompt(cast(Prompt, record), room=self.sampling.max_tokens)
        return {}

    def _source(self, s: str) -> Rollouts:
        return Rollouts(
            self.run,
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
        given = set(self.run.file.models) - set(self.run.text_roles)
        planned = plan(self.method, self._arriving(), given=given)
        check_token_roles(self.run, planned)
        return Trainer(planned, self.run.learner, rates=self._rates(planned), seed=self.run.file.seed)

    def _arriving(self) -> dict[str, set[str]]:
        """The tensors that the batches of each stream bring."""
        arrives = {s: set(stream.kind.tensors) for s, stream in self.method.streams.items()}
        for s, stream in self.method.streams.items():
            if stream.kind.sampled and self.rewards:
                arrives[s] |= {"reward", *episode_columns(self.method.columns, [r.name for r in self.rewards])}
            elif self.rows.get(s):
                arrives[s] |= brought(self.feeds[s].dataset, self.rows[s])
        return arrives

    def _rates(self, planned: Plan) -> Rates:
        t, roles = self.settings, planned.trained
        if isinstance(t.learning_rate, Mapping) and (lacking := sorted(set(roles) - set(t.learning_rate))):
            raise ConfigError(
                f"train.learning_rate names no rate for {', '.join(lacking)}, which {self.method.name} trains"
            )
        return Rates(t.learning_rate, roles, self.total, t.schedule, t.warmup)

    # ---- the loop

    def train(self) -> dict[str, float]:
        """Run the steps that are left; returns the last metrics."""
        run = self.run
        if run.journal.saved is not None:
            self._restore(run.journal.saved)
            run.journal.saved = None
        run.display.start(self.name, self.total, self.header(), first_step=self.next_step)
        metrics: dict[str, float] = {}
        with run.signals.deferred():
            while self.next_step < self.total and not self._out_of_time():
                at_step(run.journal.steps + 1)
                metrics = self._one_step()
                self.next_step += 1
                run.journal.steps += 1
                metrics |= self._evaluated()
                self._log(metrics)
                every = self.settings.save_every
                run.checkpoint(self.snapshot, due=every is not None and self.next_step % every == 0)
        return metrics

    def _out_of_time(self) -> bool:
        limit = self.settings.max_seconds
        return limit is not None and self.run.seconds >= limit

    def _evaluated(self) -> dict[str, float]:
        """The mean reward on held-out prompts, after the steps at which the run file asks for it."""
        step = self.run.journal.steps
        if not self.evaluations.due(step):
            return {}
        with self.run.timers("evaluation"):
            evaluation = self.evaluations.now(f"step {step}")
        return {"eval/reward": evaluation.mean} if evaluation is not None and evaluation.scores else {}

    def _one_step(self) -> dict[str, float]:
        maybe_kill("data")
        batches, metrics = self._batches()
        if batches is None:
            self.run.display.note(f"step {self.next_step + 1}: no answer could be trained on; nothing was updated")
            self.trainer.skip()
            return metrics
        try:
            with self.run.timers("training"):
                self.run.sampler.release()
                trained = self.trainer.train(batches)
        except NumericsError as error:
            self._skip_broken(error)
            return {**metrics, "errors/broken_steps": float(self.broken)}
        self.broken = 0
        maybe_kill("trained")
        rates = self.trainer.rates(self.next_step)
        tokens = sum(len(b["tokens"]) for b in batches.values())
        return {**trained, **metrics, "learning_rate": rates[self.role], "num_tokens": float(tokens)}

    def _skip_broken(self, error: NumericsError) -> None:
        """Say what the broken step read; raise the error if there were too many in a row."""
        step = self.run.journal.steps + 1
        if self.episodes:
            self.run.journal.write_samples(step, self.episodes)
        places = [p for p in dict.fromkeys(self.places) if p]
        read = f"; it read {', '.join(places[:SHOWN])}{', ...' * (len(places) > SHOWN)}" if places else ""
        self.broken += 1
        if self.broken > self.settings.broken_steps:
            raise NumericsError(f"{error}{read}") from error
        self.run.display.note(f"skipped: {error}{read}")
        self.trainer.skip()

    def _log(self, metrics: Mapping[str, float]) -> None:
        run = self.run
        row = {
            **metrics,
            "epoch": float(self.feeds[MAIN].position / len(self.feeds[MAIN].dataset)),
            **run.timers.read(),
        }
        seconds = sum(v for k, v in row.items() if k.startswith("time/"))
        row |= {"step_time": seconds, "tokens_per_second": row.get("num_tokens", 0.0) / max(seconds, 1e-9)}
        if run.journal.steps % self.settings.log_every == 0:
            run.journal.write_metrics(row)
        maybe_kill("metrics")
        run.display.step(self.next_step, row)

    # ---- batches

    def _batches(self) -> tuple[dict[str, Batch] | None, dict[str, float]]:
        batches: dict[str, Batch] = {}
        metrics: dict[str, float] = {}
        main: list[Record] = []
        self.places = []
        self.episodes = ()
        for s, stream in self.method.streams.items():
            if stream.kind.sampled:
                batch, described = self._sampled(s)
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
                encode = self.run.encoder.rows
                rows = [row for r in stream.view(main) for row in encode(r, stream.kind.name, self.columns)]
            batches[s] = paired(rows) if stream.kind.paired else collate(rows)
        return batches, metrics

    def _sampled(self, s: str) -> tuple[Batch | None, dict[str, float]]:
        """The batch of a stream of prompts, and its metrics."""
        source = self.sources[s]
        drawn = source.take(self.next_step, last=self.next_step + 1 == self.total)
        self._write_samples(drawn.seen)
        self.episodes = drawn.seen
        self.places += [e.prompt.where for e in drawn.episodes]
        if not source.trained(drawn.episodes):
            return None, drawn.metrics
        rows = [
            episode_row(
                e,
                train=self.authors[s][e.author].train,
                temperature=self.authors[s][e.author].temperature,
                step=self.run.journal.steps,
                wanted=self.columns,
            )
            for e in drawn.episodes
        ]
        return collate(rows, scalars={"max_tokens": self.sampling.max_tokens}), drawn.metrics

    def _write_samples(self, episodes: Sequence[Episode]) -> None:
        run = self.run
        if episodes:
            e = episodes[0]
            run.display.sample(last_message(e.prompt.prompt), e.text, e.reward)
        if run.journal.steps % self.settings.samples_every == 0:
            run.journal.write_samples(run.journal.steps + 1, episodes)

    # ---- state

    def snapshot(self) -> Copy:
        """Copy what the next step depends on, and what writes the model that the stage is about."""
        taken = self.trainer.snapshot(self.role)
        own = {"stage": self.name, "step": self.next_step, "positions": {s: f.position for s, f in self.feeds.items()}}
        own["data"] = {s: f.dataset.fingerprint for s, f in self.feeds.items()}
        own["rollouts"] = {s: source.state() for s, source in self.sources.items()}
        return {**own, "trainer": taken.state}, taken.write

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
        steps = int(saved["global_step"])
        self.evaluations.recall(self.run.journal.steps, steps)
        self.run.journal.steps = steps

    def header(self) -> list[str]:
        """Batch arithmetic, for the display."""
        planned, t = self.trainer.plan, self.settings
        answers = sum(a.samples for a in self.authors[MAIN]) or 1
        rows = t.prompts_per_step * answers
        updates = self.method.passes * self.method.minibatches
        return [
            f"method {self.method.name}: trains {', '.join(planned.trained)}; loads {', '.join(planned.loaded)}",
            f"batch  {t.prompts_per_step} records x {answers} = {rows} rows a step, {updates} update(s), "
            f"at most {t.tokens_per_device} tokens at once",
            *(notice for r in self.rewards if isinstance(r, Reward) and (notice := r.notice())),
        ]
