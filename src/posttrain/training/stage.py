"""Stages: one method trained on its data, with metrics, samples, evaluations and checkpoints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from posttrain.core.method import MAIN, Method
from posttrain.core.plan import Plan, plan
from posttrain.data.dataset import Dataset
from posttrain.errors import ConfigError, NumericsError
from posttrain.machine.kill_points import at_step, maybe_kill
from posttrain.rewards.reward import Reward
from posttrain.runs.saver import Copy
from posttrain.training.batches import Batches
from posttrain.training.best import Best
from posttrain.training.course import Course
from posttrain.training.critic_warmup import waiting_steps
from posttrain.training.evaluation import Evaluations
from posttrain.training.learning_rates import Peaks, peaks, told
from posttrain.training.private_trainer import PrivateTrainer
from posttrain.training.protection import Protection
from posttrain.training.run import Run
from posttrain.training.sampler_gap import check_gap
from posttrain.training.schedule import Rates, too_long
from posttrain.training.text_roles import check_token_roles
from posttrain.training.trainer import Trainer
from posttrain.turns import last_message

if TYPE_CHECKING:
    from posttrain.config.schema import Train

SHOWN = 12  # number of records that an error names
EQUAL = 10  # steps in a row without two different rewards for a prompt, after which a notice says so


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
        self.evaluations = evaluations
        self.batches = Batches(run, method, data, rewards=rewards, train=train, name=name)
        self.course = Course.of(train, self.batches.feeds[MAIN])
        if notice := too_long(train.warmup, self.course.whole):
            run.warn("train.warmup", notice)
        self.next_step = 0
        self.equal = 0  # steps in a row without two different rewards for a prompt
        self.broken = 0  # steps in a row whose loss or gradient was not finite
        maybe_kill("dataset")
        records = len(self.batches.feeds[MAIN].dataset)
        self.protection = Protection.of(run, method, train, records=records, steps=self.total)
        self.trainer = self._trainer()
        evaluations.measure_with(self.trainer, self.batches.arriving()[MAIN])
        self.role = "policy" if "policy" in self.trainer.plan.trained else self.trainer.plan.trained[0]
        self.best = Best(run, self.role)
        maybe_kill("prepare")

    # ---- before the first step

    @property
    def total(self) -> int:
        """Number of steps of the stage."""
        return self.course.total

    def _trainer(self) -> Trainer:
        given = set(self.run.file.models) - set(self.run.text_roles)
        planned = plan(self.method, self.batches.arriving(), given=given)
        check_token_roles(self.run, planned)
        if self.protection is not None:
            return self.protection.trainer(planned, self._rates(planned))
        return Trainer(planned, self.run.learner, rates=self._rates(planned), seed=self.run.file.seed)

    def _rates(self, planned: Plan) -> Rates:
        t, roles = self.settings, planned.trained
        wait = waiting_steps(self.run, self.method, planned, t, self.course.total)
        return Rates(self._peaks(planned), roles, self.course.whole, t.schedule, t.warmup, self.course.shift, wait)

    def _peaks(self, planned: Plan) -> Peaks:
        return peaks(self.settings.learning_rate, self.run.file, self.method, planned.trained)

    # ---- the loop

    def train(self) -> dict[str, float]:
        """Run the remaining steps and return the metrics of the last one."""
        run = self.run
        if run.journal.saved is not None:
            self._restore(run.journal.saved)
            if self.next_step >= self.total and run.file.procedure is None:
                run.journal.refuse_finished()
            run.journal.accept()
        if (before := self.evaluations.done.get("before")) is not None:
            self.best.check(before.metrics)
        if self.method.is_surrogate:
            run.journal.describe(metrics={"without_meaning": list(self.method.without_meaning)})
        run.sampler.metrics()  # what was sampled before is none of this stage's
        run.display.start(self.title(), self.total, self.header(), first_step=self.next_step)
        metrics: dict[str, float] = {}
        with run.signals.deferred():
            while self.next_step < self.total and self._stopped_by() is None:
                at_step(run.journal.steps + 1)
                metrics = self._one_step() | (self.protection.paid() if self.protection else {})
                self.next_step += 1
                run.journal.steps += 1
                metrics |= self._evaluated()
                self.best.see(run.journal.steps, metrics)
                self._log(metrics)
                due = run.save_clock.due(self.settings, self.next_step, run.journal.steps)
                run.checkpoint(self.snapshot, due=due)
        if self.next_step < self.total:
            run.end_early(f"{self._stopped_by()}: stopped after step {self.next_step} of {self.total}")
        if self.protection is not None:
            run.journal.describe(privacy=self.protection.ledger.facts())
        return metrics

    def _stopped_by(self) -> str | None:
        """Say what ends the stage before its last step; None if nothing does."""
        limit = self.settings.max_seconds
        if self.best.exhausted:
            return f"{self.best.metric} was not better in {self.best.waited} evaluations (evaluate.patience)"
        if limit is not None and self.run.seconds >= limit:
            return f"train.max_seconds={limit:g} is over"
        return None if self.protection is None else self.protection.ended

    def _evaluated(self) -> dict[str, float]:
        """Return the metrics of the evaluation that is due after this step, if one is."""
        step = self.run.journal.steps
        if not self.evaluations.due(step):
            return {}
        with self.run.timers("evaluation"):
            evaluation = self.evaluations.now(f"step {step}")
        return {} if evaluation is None else evaluation.metrics

    def _one_step(self) -> dict[str, float]:
        maybe_kill("data")
        batches, metrics = self.batches.take(self.next_step, self.total)
        if batches is None and isinstance(self.trainer, PrivateTrainer):
            self.trainer.rest()
            return metrics
        if batches is None:
            self._show_samples()
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
        if self.batches.sources:
            check_gap(trained, self.run.file.sampler.max_gap)
        metrics |= self.batches.scored(self.trainer.scores)
        self._show_samples()
        self._watch_rewards(metrics)
        rates = self.trainer.rates(self.next_step)
        tokens = sum(len(b["tokens"]) for b in batches.values())
        return {**trained, **metrics, "learning_rate": rates[self.role], "num_tokens": float(tokens)}

    def _watch_rewards(self, metrics: Mapping[str, float]) -> None:
        """Say so once the rewards of all answers to each prompt have been equal for many steps."""
        equal = self.method.least_answers > 1 and metrics.get("frac_reward_zero_std") == 1.0
        self.equal = self.equal + 1 if equal else 0
        if self.equal == EQUAL:
            self.run.display.note(
                f"in each of the last {EQUAL} steps all answers to a prompt had the same reward, so nothing is "
                "learned: look at samples/ and at the rewards; the problems may be too hard or too easy"
            )

    def _skip_broken(self, error: NumericsError) -> None:
        """Report the records of a broken step; raise its error if there were too many in a row."""
        step = self.run.journal.steps + 1
        if self.batches.episodes:
            self.run.journal.write_samples(step, self.batches.episodes)
        places = [p for p in dict.fromkeys(self.batches.places) if p]
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
            "epoch": self.batches.epoch,
            **run.timers.read(),
            **run.learner.metrics(),
        }
        seconds = sum(v for k, v in row.items() if k.startswith("time/"))
        row |= {"step_time": seconds, "tokens_per_second": row.get("num_tokens", 0.0) / max(seconds, 1e-9)}
        if run.journal.steps % self.settings.log_every == 0:
            run.journal.write_metrics(row)
        maybe_kill("metrics")
        run.display.step(self.next_step, {n: x for n, x in row.items() if n not in self.method.without_meaning})

    def _show_samples(self) -> None:
        run, episodes = self.run, self.batches.episodes
        if episodes:
            e = episodes[0]
            run.display.sample(last_message(e.prompt.prompt), e.text, e.reward)
        if self.batches.sources and run.journal.steps % self.settings.samples_every == 0:
            run.journal.write_samples(run.journal.steps + 1, episodes)

    # ---- state

    def snapshot(self, *, last: bool = False) -> Copy:
        """Copy everything that the next step depends on; return it with a function that writes the main model.

        `last`: no step follows until it is written.
        """
        taken = self.trainer.snapshot(self.role, last=last)
        own = {"stage": self.name, "step": self.next_step, "course": self.course.state(), **self.batches.state()}
        own["best"] = self.best.state()
        if self.protection is not None:
            own["privacy"] = self.protection.state()
        return {**own, "trainer": taken.state}, taken.write

    def _restore(self, saved: Mapping[str, Any]) -> None:
        if saved["stage"] != self.name:
            raise ConfigError(
                f"the checkpoint was saved in stage {saved['stage']}, and this run is in {self.name}: its method or "
                "procedure has changed; start a new run"
            )
        self.next_step = int(saved["step"])
        self.best.restore(saved["best"])
        if self.protection is not None:
            self.protection.restore(saved.get("privacy"))
        self.trainer.restore(saved["trainer"])
        self.batches.restore(saved)
        ahead = self.batches.drawn_ahead
        self.course = self.course.resumed(
            saved["course"], self.settings, self.batches.feeds[MAIN], self.next_step, ahead
        )
        self.trainer.rates = self._rates(self.trainer.plan)
        if saved["course"]["per_step"] != self.course.per_step:
            self.run.display.note(
                f"{self.course.per_step} records a step, {saved['course']['per_step']} before: "
                f"{max(0, self.total - self.next_step)} steps are left; the schedule goes on from epoch "
                f"{self.batches.epoch:.3g}"
            )
        steps = int(saved["global_step"])
        self.evaluations.recall(self.run.journal.steps, steps)
        self.run.journal.steps = steps

    def title(self) -> str:
        """Name the run, the method and the model, as the run file does."""
        file, folder = self.run.file, self.run.journal.folder
        own = file.method is not None and Path(file.method.path).stem == self.method.name
        method = file.method.path if own and file.method else self.method.name
        within = f"{file.procedure.path}: " if file.procedure else ""
        return f"{f'{folder.name}  ' if folder else ''}{within}{method}  {file.model.path}"

    def header(self) -> list[str]:
        """Describe the method and the batch arithmetic, for the display."""
        planned, t = self.trainer.plan, self.settings
        answers = self.batches.answers
        rows = t.prompts_per_step * answers
        updates = self.method.passes * self.method.minibatches
        return [
            f"method {self.method.name}: trains {', '.join(planned.trained)}; loads {', '.join(planned.loaded)}",
            f"batch  {t.prompts_per_step} records x {answers} = {rows} rows a step, {updates} update(s), "
            f"at most {t.tokens_per_device} tokens at once",
            *self._shares(planned),
            told(self._peaks(planned), given=t.learning_rate is not None),
            *self.batches.formulas(),
            *(notice for r in self.batches.rewards if isinstance(r, Reward) and (notice := r.notice())),
        ]

    def _shares(self, planned: Plan) -> list[str]:
        """Say how many parameters are trained, of the models that are not trained whole."""
        sizes = {role: self.run.learner.sizes(role) for role in planned.trained}
        parts = [f"{role} {n:,} of {whole:,} ({n / whole:.2%})" for role, (n, whole) in sizes.items() if n < whole]
        return [f"trains {', '.join(parts)} parameters"] if parts else []
