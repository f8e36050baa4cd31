"""The verbs that look and do not train: sample, score, collect, measure, ask, evaluate.

What takes time is kept under a name, so that a resumed procedure reads it: the models that made it are gone by then.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from posttrain.core.choice import Choice
from posttrain.core.method import Sampling
from posttrain.core.parts import Function, Part
from posttrain.data.dataset import Dataset, Reads
from posttrain.data.kinds.decisions import Decision
from posttrain.errors import ConfigError
from posttrain.learners.speaker import Speaker
from posttrain.records import Episode, Prompt, Record, Turns
from posttrain.rewards.reward import Reward
from posttrain.roles.choices import Choices, Normalisation
from posttrain.roles.options import options_of_each
from posttrain.roles.protocol import Options as ReplyOptions
from posttrain.runs.rounds import as_episodes, as_row
from posttrain.search.evolution.archive import Archive
from posttrain.search.evolution.course import Strategy
from posttrain.search.evolution.driver import Evaluate, Write
from posttrain.search.found import Found
from posttrain.search.search import Search
from posttrain.training import acting, measures, speaking, text_roles
from posttrain.training.episodes import Names, with_opponents
from posttrain.training.estimates import Estimate
from posttrain.training.evaluation import Evaluation, Evaluations, evaluate, sample
from posttrain.training.evolving import evolved
from posttrain.training.reranking import rerank
from posttrain.training.run import Run
from posttrain.training.searching import LINES, Cut, searched

if TYPE_CHECKING:
    from posttrain.config.schema import Data

Scoring = Sequence[Reward] | Part | Function  # reward functions, or a part that the models compute


class Observer:
    """Looks at the models of a run through what they answer and compute. Session adds the verbs that change them."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.evaluations = Evaluations(run)

    # ---- sampling and scoring

    def sampling(self, samples: int = 1, temperature: float = 1.0, **given: Any) -> Sampling:
        """An author: as the run file's `sampling` says where it says something, else as given here."""
        own = self.run.file.sampling
        return Sampling(
            samples=samples if own.samples is None else own.samples,
            temperature=temperature if own.temperature is None else own.temperature,
            **given,
        )

    def sample(
        self,
        prompts: Sequence[Prompt],
        sampling: Sampling | None = None,
        *,
        names: Names = ("sample",),
        author: int = 0,
        max_tokens: int | None = None,
    ) -> list[Episode]:
        """Answer prompts, all samples of a prompt side by side. The seed of each answer derives from `names`."""
        return sample(self.run, prompts, sampling or Sampling(), names, author=author, max_tokens=max_tokens)

    def score(self, episodes: Sequence[Episode], rewards: Sequence[Reward] | None = None) -> list[Episode]:
        """Return the same episodes with their rewards. A failed reward leaves None, never a number."""
        rewards = self.run.rewards() if rewards is None else rewards
        shape = self.run.shaping(rewards) if rewards else None
        if shape is None:
            return self.run.score(episodes, rewards)
        if shape.learns or shape.needs_baseline:
            raise ConfigError(
                f"the reward is {shape}, which needs the batches or the baseline answers of a method that trains on "
                "sampled answers; a procedure scores what it collects by itself: remove those transforms"
            )
        return self.run.score(episodes, rewards, shape)

    def rewards(self) -> tuple[Reward, ...]:
        """Return the rewards of the run file."""
        return self.run.rewards()

    def reward(self, path: str | Callable[..., Any], **settings: Any) -> Reward:
        """Make a reward that the run file does not name, for `rewards` of a stage or of `collect`."""
        return self.run.reward(path, **settings)

    def collect(
        self,
        name: str,
        prompts: Sequence[Record],
        *authors: Sampling,
        rewards: Scoring | None = None,
        max_tokens: int | None = None,
    ) -> list[Episode]:
        """Sample and score answers of every author, kept as `rounds/<name>.jsonl` for a resumed run to read.

        `rewards`: those of the run file unless given; () for none; a part (`log_ratio`) is computed by the models.
        """
        asked = [cast(Prompt, p) for p in prompts]

        def compute() -> list[Any]:
            with self.run.timers("sampling"):
                answers = [
                    e
                    for author, sampling in enumerate(authors)
                    for e in self.sample(asked, sampling, names=(name,), author=author, max_tokens=max_tokens)
                ]
            with self.run.timers("rewards"):
                scored = self._scored(with_opponents(answers, len(authors)), rewards)
            return [as_row(e) for e in scored]

        episodes = as_episodes(self.run.journal.once(f"rounds/{name}", compute), asked)
        mean = Evaluation.of(episodes).mean
        scored = "" if mean is None else f", mean reward {mean:.3f}"
        self.run.display.note(f"{name}: {len(episodes)} answers to {len(asked)} prompts{scored}")
        return episodes

    def search(
        self,
        name: str,
        prompts: Sequence[Record],
        search: Search,
        estimate: Estimate,
        sampling: Sampling,
        *,
        cut: Cut = LINES,
        max_tokens: int | None = None,
    ) -> list[Found]:
        """Grow a tree of partial answers for each prompt, kept like what is collected.

        `estimate` says what they are worth (training.estimates), `cut` where a step ends.
        """
        asked = [cast(Prompt, p) for p in prompts]

        def compute() -> list[Any]:
            with self.run.timers("sampling"):
                found = searched(
                    self.run, asked, search, estimate, name=name, sampling=sampling, cut=cut, max_tokens=max_tokens
                )
            return [f.state() for f in found]

        known = {p.id: p for p in asked}
        found = [Found.restored(row, known) for row in self._kept(name, compute)]
        tokens, nodes = sum(f.tree.tokens for f in found), sum(len(f.tree.nodes) - 1 for f in found)
        self.note(f"{name}: {search.name} drew {tokens} tokens for {nodes} nodes behind {len(asked)} prompts")
        return found

    def evolve(self, name: str, strategy: Strategy, write: Write, evaluate: Evaluate, **how: Any) -> Archive:
        """Propose, evaluate and select artefacts, each kept at once (training.evolving.evolved, which names `how`)."""
        return evolved(self.run, name, strategy, write, evaluate, **how)

    def score_again(self, name: str, episodes: Sequence[Episode], rewards: Scoring | None = None) -> list[Episode]:
        """Return the same episodes with new rewards, kept like what is collected."""
        compute = lambda: [e.reward for e in self._scored(list(episodes), rewards)]  # noqa: E731
        scores = self.run.journal.once(f"rounds/{name}", compute)
        return [replace(e, reward=x) for e, x in zip(episodes, scores, strict=True)]

    def _scored(self, episodes: list[Episode], rewards: Scoring | None) -> list[Episode]:
        if isinstance(rewards, Part) or callable(rewards):
            return measures.scored(self.run, episodes, rewards)
        if rewards is None and not self.run.rewards():
            raise ConfigError("the answers must be scored, and the run file names no `rewards`; add rewards: [...]")
        return self.score(episodes, rewards)

    # ---- measuring

    def measure(self, name: str, records: Sequence[Record], part: Part | Function) -> list[float]:
        """A part's value for each record, or pair, under the models as they are now; kept like what is collected."""
        return self._kept(name, lambda: measures.values(self.run, records, part))

    def measure_tokens(self, name: str, records: Sequence[Record], part: Part | Function) -> list[list[float]]:
        """A part's value at every trained token of each record; kept likewise."""
        return self._kept(name, lambda: measures.token_values(self.run, records, part))

    def embed(self, name: str, records: Sequence[Record], role: str = "policy") -> list[list[float]]:
        """The state of a model after the last token of every row: one of an answer, two of a pair; kept likewise."""
        return self._kept(name, lambda: measures.embeddings(self.run, records, role))

    def _kept(self, name: str, compute: Any) -> list[Any]:
        return self.run.journal.once(f"rounds/{name}", compute)

    # ---- asking

    def ask(
        self,
        name: str,
        role: str,
        prompts: Sequence[Record | Turns],
        *,
        samples: int = 1,
        max_tokens: int | None = None,
        temperature: float = 1.0,
    ) -> list[list[str]]:
        """Replies of any model of the run, text roles included, to each prompt; kept like what is collected.

        `max_tokens`: those of the run file's `sampling` unless given.
        """
        limit, seed = max_tokens or self.run.file.sampling.max_tokens, self.seed("ask", name)
        speaker = self.run.speaker(role)
        compute = lambda: speaker.ask(  # noqa: E731
            text_roles.turns(prompts), samples=samples, max_tokens=limit, temperature=temperature, seed=seed
        )
        return self._kept(name, compute)

    def choose(
        self, name: str, role: str, prompts: Sequence[Record | Turns], options: ReplyOptions
    ) -> list[list[float]]:
        """Probabilities of options as replies, renormalised over the options of each prompt; kept likewise.

        `options`: one list for all prompts, or a list for each of them.
        """
        speaker = self.run.speaker(role)
        return self._kept(name, lambda: speaker.choose(text_roles.turns(prompts), options))

    def choices(self, name: str, role: str, prompts: Sequence[Record | Turns], options: ReplyOptions) -> list[Choices]:
        """log p(option | prompt), token by token, for options as in `choose`; kept likewise."""
        lists = options_of_each(options, len(prompts))
        compute = lambda: [c.logp for c in self.run.speaker(role).choices(text_roles.turns(prompts), options)]  # noqa: E731
        kept = self._kept(name, compute)
        return [Choices(own, tuple(map(tuple, logp))) for own, logp in zip(lists, kept, strict=True)]

    def act(
        self,
        name: str,
        prompts: Sequence[Record],
        *,
        samples: int = 1,
        by: Normalisation = "sum",
        greedy: bool = False,
    ) -> list[Decision]:
        """Play episodes of the run's environment by choosing among its actions (training.acting); kept likewise."""
        compute = lambda: acting.act(self.run, name, prompts, samples=samples, by=by, greedy=greedy)  # noqa: E731
        return [
            Decision(**{**row, "prompt": tuple(row["prompt"]), "choices": tuple(row["choices"])})
            for row in self._kept(name, compute)
        ]

    def speaker(self, role: str = "speaker") -> Speaker:
        """Return who answers questions in this role (learners.speaker): a model, a server, the policy or a script.

        What it says is kept in `kept/`, so that nothing is asked twice.
        """
        return speaking.speaker(self.run, role)

    # ---- evaluating
    def evaluate(
        self,
        prompts: Sequence[Prompt],
        rewards: Sequence[Reward] | None = None,
        *,
        samples: int = 1,
        temperature: float = 0.0,
        max_tokens: int | None = None,
        **how: Any,
    ) -> Evaluation:
        """Answer held-out prompts, greedily by default, and score the answers.

        `how`: decoder, choice and by, as in training.evaluation.evaluate.
        """
        scorers = self.run.rewards() if rewards is None else rewards
        how |= {"samples": samples, "temperature": temperature, "max_tokens": max_tokens}
        return evaluate(self.run, prompts, scorers, **how)

    def rerank(self, answers: Sequence[Episode], choice: Choice, by: Reward | None = None) -> list[Episode]:
        """Of every n answers to a prompt the one that a choice picks, by a reward, else by the run's reward model."""
        return rerank(self.run, answers, choice, by)

    def evaluate_now(self, name: str) -> Evaluation | None:
        """Evaluate on the data of the run file's `evaluate`, if it has any, and keep the result under a name."""
        return self.evaluations.now(name)

    # ---- what the verbs share

    def seed(self, *names: Any) -> int:
        """Derive a seed from the run's seed and names."""
        return self.run.seed(*names)

    def note(self, text: str) -> None:
        """Tell the user something, once."""
        self.run.display.note(text)

    def dataset(self, source: Data, kind: str, reads: Reads | None = None) -> Dataset:
        """Load records as the run file describes them. `reads`: as in data.dataset.load."""
        return self.run.dataset(source, kind, reads)
