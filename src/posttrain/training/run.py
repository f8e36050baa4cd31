"""What everything in a run holds: its run file, machine, encoder, journal, clock, display, signals and rewards.

Stages, rollouts and sessions hold a Run; a Run holds none of them.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from posttrain.data.dataset import Dataset, Reads
from posttrain.data.notices import Notices
from posttrain.data.plain_text import note_plain_text
from posttrain.data.sources import is_bundled
from posttrain.errors import ConfigError
from posttrain.machine.kill_points import maybe_kill
from posttrain.rewards.credits import with_credits
from posttrain.rewards.reward import Reward
from posttrain.rewards.scorer import Scorer
from posttrain.rewards.shaping.shaping import Baselines, Shaping
from posttrain.roles.model import ModelRole
from posttrain.runs.journal import Journal
from posttrain.runs.saver import Copy
from posttrain.runs.signals import Signals
from posttrain.runs.timers import StepTimers
from posttrain.sampling.stop import Stop
from posttrain.seeds import seed_for
from posttrain.training.beginning import forced
from posttrain.training.columns_read import by_rewards
from posttrain.training.datasets import Datasets
from posttrain.training.encodings import Encodings, Wanted
from posttrain.training.environments import hosts_of, tasks_of
from posttrain.training.named_rewards import name_of, named_rewards, roles, unnamed
from posttrain.training.printed import keep_printed
from posttrain.training.role_rewards import as_rewards
from posttrain.training.saving import SaveClock
from posttrain.training.shaped_rewards import shaping
from posttrain.viewer.display import Display

if TYPE_CHECKING:
    from posttrain.backends.protocol import Learner, Sampler
    from posttrain.config.schema import Data, RunFile
    from posttrain.data.chat.encode import Encoder
    from posttrain.records import Episode, Row
    from posttrain.roles.protocol import TextRole
    from posttrain.sampling.request import Completion, Distribution, OnFinished, Request

log = logging.getLogger(__name__)

NOTHING: Mapping[str, str] = MappingProxyType({})


class Run:
    """One run of a run file; without a directory its journal writes nothing.

    `functions` are rewards given in Python, besides those that the run file names. `text_roles` are the models that do
    not share the policy's vocabulary; they are closed with the run. `datasets`, `encodings`: what has been read and
    encoded already.
    """

    def __init__(
        self,
        file: RunFile,
        learner: Learner,
        sampler: Sampler,
        encoder: Encoder,
        *,
        journal: Journal | None = None,
        display: Display | None = None,
        functions: tuple[Reward, ...] = (),
        text_roles: Mapping[str, TextRole] = MappingProxyType({}),
        datasets: Datasets | None = None,
        encodings: Encodings | None = None,
    ) -> None:
        self.file = file
        self.learner = learner
        self.sampler = sampler
        self.encoder = encoder
        self.journal = journal or Journal()
        self.display, self.functions = display or Display(), functions
        self.text_roles = text_roles
        self.datasets = datasets or Datasets(file.given, partial(tasks_of, file))
        self.encodings = encodings or Encodings(encoder)
        self.timers, self.save_clock = StepTimers(), SaveClock()
        self.signals = Signals(self.journal.kept_words, self.display.stop_after_step)
        self.ended_early: str | None = None  # why the steps are not all done, if the run file ended them
        self.started = time.monotonic()
        self.stop, self.begin = Stop.at(file.sampling.stop, encoder.tokenizer), forced(encoder, file.sampling)
        self._stop: frozenset[int] = frozenset()
        self._rewards: tuple[Reward, ...] | None = None
        self._scorers: dict[tuple[Reward, ...], Scorer] = {}
        self.hosts = hosts_of(file, self.journal.folder)
        self._told: set[Dataset] = set()  # whose warnings have been given
        self._warned: set[str] = set()  # settings likewise

    def seed(self, *names: Any) -> int:
        """Derive a seed from the run's seed and names."""
        return seed_for(self.file.seed, *names)

    @property
    def seconds(self) -> float:
        """Wall-clock seconds since the run started."""
        return time.monotonic() - self.started

    # ---- data and answers

    def dataset(self, source: Data, kind: str, reads: Reads | None = None) -> Dataset:
        """Return the records of a source, read once in a run.

        Rows that it lets drop are listed in run.json, and so are the warnings. `reads`: as in data.dataset.load; of
        prompts, what the rewards read.
        """
        if reads is None and kind == "prompts" and self.file.procedure is None and self.hosts is None:
            reads = by_rewards(self.rewards())
        dataset = self.datasets.read(source, kind, reads)
        if dataset not in self._told:
            self._told.add(dataset)
            self._tell(source, dataset)
        return dataset

    def _tell(self, source: Data, dataset: Dataset) -> None:
        self._note_plain_text(source, dataset)
        if dataset.dropped:
            self.journal.describe(dropped={source.name: list(dataset.dropped)})
        if lines := dataset.notices.lines():
            self.journal.describe(warnings={source.name: lines})

    def _note_plain_text(self, source: Data, dataset: Dataset) -> None:
        """Warn of prompts in plain text where the model has a chat template, unless the run file sets `chat`."""
        chosen = "chat" in source.model_fields_set or self.hosts is not None
        if not chosen and not is_bundled(source.path) and self.encoder.template.source:
            found = Notices()
            note_plain_text(dataset, found)
            found.warn(source.name)
            dataset.notices.counts.update(found.counts)

    def rows(
        self, data: Dataset, kind: str, columns: Mapping[str, str] = NOTHING
    ) -> tuple[Dataset, dict[int, list[Row]]]:
        """Encode all records of a kind; return the dataset of those that could be, and their rows by id.

        `columns`: those that become tensors, with their axes. Rows that were left out are listed in run.json, and what
        was noticed about the others, too.
        """
        return self._encoded(Wanted(data, kind, tuple(sorted(columns.items()))))

    def prompts(self, data: Dataset, room: int = 0) -> tuple[Dataset, dict[int, tuple[int, ...]]]:
        """Encode prompts likewise; an answer of `room` tokens must fit behind them."""
        return self._encoded(Wanted(data, "prompts", room=room))

    def _encoded(self, wanted: Wanted) -> tuple[Dataset, dict[int, Any]]:
        data = wanted.data
        done = self.encodings.take(wanted, lambda n, total: self.display.phase("encoding", n, total))
        encoded = done.encoded
        if encoded.dropped or (data.start and data.dropped):
            self.journal.describe(dropped={data.name: [*data.dropped, *encoded.dropped]})
        if lines := done.notices.lines():
            done.notices.warn(data.name)
            self.journal.describe(warnings={f"{data.name}, encoded": lines})
        self.stop_at_ends()
        return encoded.data, encoded.encoded

    def generate(
        self, requests: Sequence[Request], source: Distribution, on_finished: OnFinished | None = None, **how: Any
    ) -> list[Completion]:
        """Sample from the weights as they are now. `how`: `arrivals` or `pause`, as Sampler.generate takes them."""
        self.stop_at_ends()
        self.sampler.sync(self.learner.version, self.journal.steps)
        return self.sampler.generate(requests, source, on_finished=on_finished, **how)

    def stop_at_ends(self) -> None:
        """Tell learner and sampler which tokens end an answer: the encoder knows all once it has read conversations."""
        if self.encoder.stop != self._stop:
            self._stop = self.encoder.stop
            self.learner.stop_at(self._stop)
            self.sampler.stop_at(self._stop)

    def speaker(self, role: str) -> TextRole:
        """Return the text role of this name; else the policy or a model that shares its vocabulary, as it is now."""
        if role in self.text_roles:
            return self.text_roles[role]
        if (entry := self.file.models.get(role)) is not None and entry.scripted is not None:
            raise ConfigError(f"models.{role}: a script answers the questions of learners alone; name a model")
        return ModelRole(role, self.encoder, self.learner.forward, self.generate, plain=True, gated=True)

    # ---- rewards

    def rewards(self) -> tuple[Reward, ...]:
        """The rewards of the run file, the functions given in Python, and the text roles that score.

        Files that a reward keeps lie in `kept/`.
        """
        if self._rewards is None:  # once, because objects are not equal when they are made again
            every = (
                *named_rewards(self.file, self._model_of_reward),
                *self.functions,
                *as_rewards(self.text_roles),
            )
            folder = self.journal.folder
            self._rewards = tuple(r if folder is None else r.keeping(folder / "kept") for r in every)
        return self._rewards

    def reward(self, path: str | Callable[..., Any], **settings: Any) -> Reward:
        """Make a reward that the run file does not name. A setting that is a model is the name of one of the run's."""
        made = unnamed(path, settings, self._model_of_reward)
        folder = self.journal.folder
        return made if folder is None else made.keeping(folder / "kept")

    def _model_of_reward(self, said: Any) -> TextRole:
        """The model that a reward names: one of the run's roles, or one that was loaded for rewards."""
        return (
            self.speaker(said) if isinstance(said, str) and said in roles(self.file) else self.text_roles[name_of(said)]
        )

    def scorer(self, rewards: tuple[Reward, ...]) -> Scorer:
        """The scorer of these rewards, with workers that live as long as the run."""
        if rewards not in self._scorers:
            s = self.file.scoring
            self._scorers[rewards] = Scorer(
                rewards,
                workers=s.workers,
                timeout=s.timeout,
                max_error_rate=s.max_error_rate,
                on_print=partial(keep_printed, self.journal, self.display),
            )
        scorer, steps = self._scorers[rewards], self.file.train.steps
        scorer.state = {"global_step": self.journal.steps} | ({} if steps is None else {"max_steps": steps})
        return scorer

    def shaping(self, rewards: Sequence[Reward]) -> Shaping:
        """Return a new shaping of these rewards, as the run file says."""
        return shaping(self.file, rewards)

    def score(
        self,
        episodes: Sequence[Episode],
        rewards: Sequence[Reward],
        shape: Shaping | None = None,
        baselines: Baselines | None = None,
    ) -> list[Episode]:
        """Return the same episodes with their rewards, as they are or shaped. A failed one leaves None.

        An episode that the environment failed in stays without a score.
        """
        whole = [e for e in episodes if not e.error]
        scored = self.scorer(tuple(rewards)).score(whole) if rewards else whole
        ends_of = self.encoder.text_ends
        scored = shape(scored, ends_of, baselines) if shape else [with_credits(e, ends_of) for e in scored]
        maybe_kill("rewards")
        in_order = iter(scored)
        return [e if e.error else next(in_order) for e in episodes]

    # ---- what is written

    def checkpoint(self, take: Callable[[], Copy], *, due: bool) -> None:
        """Save what `take` copies, between two steps, if a checkpoint is due or a signal came.

        Ends the run if a signal came (StoppedError) or if the last save failed (StorageError).
        """
        if not self.journal.writes:
            return
        self.journal.check_saved()
        asked = self.signals.asked is not None  # one that comes from here on waits for the next step
        if due or asked:
            with self.timers("saving"):
                self.journal.save(take)
            self.save_clock.saved()
        if asked:
            self.journal.wait_until_saved()
            raise self.signals.stopped()

    def warn(self, about: str, text: str) -> None:
        """Warn of a setting, the first time, and list the warning in run.json."""
        if about not in self._warned:
            self._warned.add(about)
            self.journal.describe(warnings={about: [text]})
            log.warning("%s: %s", about, text)

    def end_early(self, why: str) -> None:
        """Say that the run file ends the training before its last step, and remember why."""
        self.ended_early = why
        self.display.end_early(why)

    def close(self) -> None:
        """End the workers, wait for a checkpoint that is being written, and unlock the directory."""
        self.signals.close()
        for scorer in self._scorers.values():
            scorer.close()
        for role in self.text_roles.values():
            role.close()
        if self.hosts is not None:
            self.hosts.close()
        with closing(self.learner), closing(self.sampler), closing(self.journal):  # from right to left, whatever fails
            self.encoder.close()
