"""A session without any model: a script answers, and every verb leaves a line. A procedure runs in milliseconds.

Use it to test what a procedure decides: what it asks which model, what it trains on, from which weights and when.

    session = ScriptedSession(answers={"round-1": {"x?": {"bad": 0.1, "good": 0.9}}})
    raft(session, prompts("x?"), rounds=1)
    session.transcript == ["collect round-1: x? | 8 of policy=start | rewards", "train imitation/sft on ...", ...]

Weights are named by the stage that made them: `start`, then `#1`, `#2`. Copies leave no line of their own: they show
where their weights are used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from posttrain.core.method import Sampling
from posttrain.core.parts import Part
from posttrain.data.dataset import Dataset
from posttrain.data.kinds.decisions import Decision
from posttrain.records import Answer, Demonstration, Episode, Pair, Prompt, Ranking, Rating, Record, Steps, Turns
from posttrain.search.evolution.archive import Archive
from posttrain.search.evolution.budget import Budget
from posttrain.search.evolution.course import Strategy
from posttrain.search.evolution.driver import Compare, Evaluate, Evolution, Write, no_match
from posttrain.search.found import Found
from posttrain.search.search import Place, Search, grow
from posttrain.search.tree import Step, Tree
from posttrain.seeds import seed_for
from posttrain.training.estimates import Judged, Modelled, Rollouts, Verdict
from posttrain.training.rollouts import with_opponents
from posttrain.training.searching import LINES, Cut
from posttrain.training.session import Session
from posttrain.turns import answer_text, last_message

Score = float | Mapping[str, float | None] | None  # or that of each reward by name
Texts = Mapping[str, Score] | Sequence[str | tuple[str, Score]]
# By name of the collection (and author, unless it is the first), then by the text of the prompt.
Answers = Mapping[str | tuple[str, int], Mapping[str, Texts]]


class ScriptedSession:
    """The verbs of training.session.Session.

    `measures`: numbers by the name that they are kept under. `scores`: the reward of an answer that is scored again.
    `states`: a hidden state by the text of an answer. `seeds`: seeds by their names, others derive from the names.
    `steps`: those that may follow a question with an answer so far; one without an end of line ends the answer.
    `worth`: the value of a question with an answer so far.
    `speaker`: what a model that is asked says, by its role and the question: a text, or probabilities of options.
    `decisions`: those of the episodes that are played, by the name they are kept under.
    """

    start_reference = Session.start_reference
    update_reference = Session.update_reference
    sampling = Session.sampling

    def __init__(
        self,
        answers: Answers | None = None,
        *,
        measures: Mapping[str, list[Any]] | None = None,
        scores: Callable[[Episode], float | None] | None = None,
        states: Mapping[str, Sequence[float]] | None = None,
        seeds: Mapping[tuple[Any, ...], int] | None = None,
        steps: Callable[[str], Sequence[str]] | None = None,
        worth: Callable[[str], float | None] | None = None,
        speaker: Callable[[str, str], Any] | None = None,
        decisions: Mapping[str, Sequence[Decision]] | None = None,
        weights: Mapping[str, str] | None = None,
        folder: Path | None = None,
        learning_rate: float | None = 1.0,
        rewards: Sequence[Any] = ("rewards",),
        held_out: Mapping[str, float] | None = None,
        **sampling: Any,
    ) -> None:
        self.answers = answers or {}
        self.measures = measures or {}
        self.scores = scores
        self.states = states or {}
        self.seeds = seeds or {}
        self.steps = steps
        self.worth = worth
        self.speaker = speaker
        self.decisions = decisions or {}
        self.weights = {"policy": "start", **(weights or {})}
        self.named = tuple(rewards)
        self.held_out = held_out or {}
        self.transcript: list[str] = []
        self.stages = 0
        file = SimpleNamespace(
            sampling=SimpleNamespace(**{"samples": None, "temperature": None, **sampling}),
            train=SimpleNamespace(learning_rate=learning_rate, steps=5),
            model=SimpleNamespace(adapters=False),
            models={},
            base=None,
        )
        self.run = SimpleNamespace(file=file, journal=SimpleNamespace(folder=folder))

    # ---- verbs that change models

    def train(
        self,
        method: Any,
        data: Dataset | Mapping[str, Dataset],
        *,
        rewards: Any = None,
        settings: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> dict[str, float]:
        name = method if isinstance(method, str) else method.name
        streams = data if isinstance(data, Mapping) else {"main": data}
        texts = [f"{_stream(s)}{d.name!r}: {'; '.join(map(described, d))}" for s, d in streams.items()]
        for d in streams.values():
            assert all(isinstance(r.id, int) for r in d), f"ids are numbers: {[r.id for r in d]}"
            assert len({r.id for r in d}) == len(d), f"two records of {d.name} have the same id"
        changed = {**options, **({"settings": dict(settings)} if settings else {})}
        self._line(f"train {name} on {', '.join(texts)}", self._roles(), _rewards(rewards), as_text(changed))
        self.stages += 1
        self.weights["reward" if name.startswith("reward/") else "policy"] = f"#{self.stages}"
        return {"stage": float(self.stages)}

    def copy(self, source: str, target: str, share: float = 1.0) -> None:
        new, old = self.weights[source], self.weights.get(target)
        self.weights[target] = new if share == 1 or old is None else f"({old} + {share:.3g} to {new})"

    def merge(self, sources: Sequence[str], target: str, rule: str = "linear", *, base: Any = None, **how: Any) -> None:
        shown = as_text(how)
        start = "" if base is None else f" from {self.weights[base]}"
        self.weights[target] = f"{rule}({', '.join(self.weights[s] for s in sources)}{start}{shown and f' {shown}'})"

    def set_head(self, role: str, name: str, weight: Any) -> None:
        self._line(f"head {name} of {role}={self.weights[role]}", as_text({"weight": weight.tolist()}))

    def move(self, source: str, target: str, along: Mapping[str, float], shape: Any = "normal") -> None:
        moves = " ".join(f"{x:+.6g}*{name}" for name, x in along.items())
        self.weights[target] = f"({self.weights[source]} {moves} {shape})"

    def advance(self, step: int, total: int, metrics: Mapping[str, float]) -> None:
        self._line(f"advance {step}/{total}", f"policy={self.weights['policy']}", as_text(metrics))

    def save(self, role: str, folder: Path | None = None) -> None:
        self._line(f"save {role}={self.weights[role]} in {folder}")

    # ---- verbs that ask them

    def collect(self, name: str, prompts: Sequence[Prompt], *authors: Sampling, rewards: Any = None) -> list[Episode]:
        assert all(p.where for p in prompts), "a prompt does not know its file"
        mixes = [" ".join(f"{r}={self.weights[r]}{'' if x == 1 else f'^{x:g}'}" for r, x in a.mix) for a in authors]
        asked = [
            f"{a.samples} of {mix}{'' if a.temperature == 1 else f' at {a.temperature:g}'}"
            for a, mix in zip(authors, mixes, strict=True)
        ]
        scored = f"{_name(rewards)} of {self._roles()}" if callable(rewards) else _rewards(rewards)
        self._line(f"collect {name}: {'; '.join(map(described, prompts))}", ", ".join(asked), scored)
        answers = [e for i in range(len(authors)) for p in prompts for e in self._answers(name, p, i, rewards)]
        return with_opponents(answers, len(authors))

    def _answers(self, name: str, prompt: Prompt, author: int, rewards: Any) -> list[Episode]:
        texts = self.answers[(name, author) if author else name][text_of(prompt.prompt)]
        pairs = texts.items() if isinstance(texts, Mapping) else [(t, None) if isinstance(t, str) else t for t in texts]
        return [
            episode(prompt, text, None if rewards == () else reward, sample=i, author=author)
            for i, (text, reward) in enumerate(pairs)
        ]

    def search(
        self,
        name: str,
        prompts: Sequence[Prompt],
        search: Search,
        estimate: Any,
        sampling: Sampling,
        *,
        cut: Cut = LINES,
    ) -> list[Found]:
        how = f"{search.name} {as_text(dict(search.settings))}, steps to {cut.boundary!r} or {cut.tokens}"
        heat = "" if sampling.temperature == 1 else f" at {sampling.temperature:g}"
        asked = "; ".join(text_of(p.prompt) for p in prompts)
        self._line(f"search {name}: {asked}", how + heat, f"{_estimate(estimate)} of {self._roles()}")
        assert self.steps is not None
        assert self.worth is not None
        trees = [Tree() for _ in prompts]
        so_far = lambda i, n: f"{text_of(prompts[i].prompt)}{trees[i].answer(n).text}"  # noqa: E731

        def draw(places: Sequence[Place]) -> list[Step]:
            texts = [(steps := self.steps(so_far(p.tree, p.node)))[p.sample % len(steps)] for p in places]  # type: ignore[misc]
            return [Step(tuple(t.encode()), (-0.5,) * len(t), t, not t.endswith("\n")) for t in texts]

        found = grow(search, trees, draw, lambda nodes: [self.worth(so_far(i, n)) for i, n in nodes])  # type: ignore[misc]
        return [Found(p, (1, 2), t, tuple(a)) for p, t, a in zip(prompts, trees, found, strict=True)]

    def evolve(
        self,
        name: str,
        strategy: Strategy,
        write: Write,
        evaluate: Evaluate,
        *,
        compare: Compare = no_match,
        given: Sequence[str] = (),
        budget: Budget | None = None,
    ) -> Archive:
        limits = {n: x for n, x in vars(budget or Budget()).items() if x is not None}
        how = as_text({"rounds": strategy.rounds, **strategy.settings, **limits})
        self._line(f"evolve {name} from {'; '.join(given)}", f"{strategy.course.__name__} {how}")
        archive = Evolution(write, evaluate, compare, budget or Budget()).run(strategy, given)
        for c in archive.candidates:
            fitness = "no fitness" if c.fitness is None else f"fitness {c.fitness:.6g}"
            self._line(f"candidate {c.number} by {c.operator}: {c.text or c.problem}", fitness)
        return archive

    def score_again(self, name: str, episodes: Sequence[Episode], rewards: Any = None) -> list[Episode]:
        asked = [f"{text_of(e.prompt.prompt)} {e.text}{_opponent(e.prompt)}" for e in episodes]
        self._line(f"score {name}: {'; '.join(asked)}", _name(rewards) if callable(rewards) else _rewards(rewards))
        assert self.scores is not None
        return [episode(e.prompt, e.text, self.scores(e), sample=e.sample, author=e.author) for e in episodes]

    def measure(self, name: str, records: Sequence[Record], part: Any) -> list[Any]:
        self._line(f"measure {name}: {'; '.join(map(described, records))}", f"{_name(part)} of {self._roles()}")
        return self.measures[name]

    measure_tokens = measure

    def ask(
        self,
        name: str,
        role: str,
        prompts: Sequence[Any],
        *,
        samples: int = 1,
        temperature: float = 1.0,
        max_tokens: int | None = None,
    ) -> list[list[str]]:
        heat = ("" if temperature == 1 else f" at {temperature:g}") + (f" to {max_tokens}" if max_tokens else "")
        asked = self._asked(f"ask {name}{heat}", role, prompts, f"{samples} of ")
        assert self.speaker is not None
        said = [self.speaker(role, text) for text in asked]
        return [list(texts) if isinstance(texts, tuple) else [texts] * samples for texts in said]

    def choose(self, name: str, role: str, prompts: Sequence[Any], options: Sequence[str]) -> list[list[float]]:
        asked = self._asked(f"choose {name}", role, prompts, f"{' or '.join(options)} by ")
        assert self.speaker is not None
        return [self.speaker(role, text) for text in asked]

    def _asked(self, verb: str, role: str, prompts: Sequence[Any], how: str) -> list[str]:
        assert all(isinstance(p, Record | tuple) for p in prompts), "a question is a conversation"
        texts = [last_message(p.prompt if isinstance(p, Record) else p) for p in prompts]
        self._line(f"{verb}: {'; '.join(texts)}", f"{how}{role}={self.weights.get(role, 'given')}")
        return texts

    def act(
        self, name: str, prompts: Sequence[Record], *, samples: int = 1, by: str = "sum", greedy: bool = False
    ) -> list[Decision]:
        how = f"{samples} of policy={self.weights['policy']} by {by}{' greedily' if greedy else ''}"
        self._line(f"act {name}: {'; '.join(map(described, prompts))}", how)
        return list(self.decisions[name])

    def embed(self, name: str, records: Sequence[Record], role: str = "policy") -> list[Sequence[float]]:
        self._line(f"embed {name}: {'; '.join(map(described, records))}", f"{role}={self.weights[role]}")
        sides = [[r.chosen, r.rejected] if isinstance(r, Pair) else [r.completion] for r in records]
        return [self.states[answer_text(x)] for side in sides for x in side]

    def evaluate_now(self, name: str) -> Any:
        self._line(f"evaluate {name}", f"policy={self.weights['policy']}")
        return SimpleNamespace(reward=self.held_out[name]) if name in self.held_out else None

    # ---- what the verbs share

    def rewards(self) -> tuple[Any, ...]:
        return self.named

    def reward(self, path: str | Callable[..., Any], **settings: Any) -> str:
        return f"{path if isinstance(path, str) else path.__qualname__} {as_text(settings)}"

    def seed(self, *names: Any) -> int:
        return self.seeds[names] if names in self.seeds else seed_for(3, *names)

    def artefact(self, name: str, content: str | Mapping[str, Any]) -> None:
        self._line(f"artefact {name}: {content if isinstance(content, str) else as_text(content)}")

    def note(self, text: str) -> None:
        self._line(f"note {text}")

    def _roles(self) -> str:
        return " ".join(f"{role}={weights}" for role, weights in sorted(self.weights.items()))

    def _line(self, *parts: str) -> None:
        self.transcript.append(" | ".join(p for p in parts if p))


# ---- records as text


def prompts(*texts: str, **columns: Sequence[Any]) -> Dataset:
    """Prompts with these texts; `columns`: one value for each."""
    own = [{n: c[i] for n, c in columns.items()} for i in range(len(texts))]
    return Dataset(tuple(Prompt(i, t, own[i], f"file:{i}") for i, t in enumerate(texts)), "prompts")


def episode(prompt: Prompt, text: str, reward: Score, *, sample: int = 0, author: int = 0) -> Episode:
    """An answer whose tokens are its bytes. A text that ends with … was cut at the limit of tokens."""
    tokens, ended = tuple(text.encode()), not text.endswith("…")
    whole, named = (None, reward) if isinstance(reward, Mapping) else (reward, {})
    return Episode.of_answer(prompt, author, sample, (1, 2), tokens, (-0.5,) * len(tokens), ended, text, whole, named)


def text_of(turns: Turns) -> str:
    return turns if isinstance(turns, str) else "chat: " + last_message(turns)


NUMBERS = (
    "examples",
    "reward",
    "token_reward",
    "chosen_highlight",
    "rejected_highlight",
    "reliability",
    "agreement",
    "margin",
)


def described(record: Record) -> str:
    """`question -> answer`, `question: better > worse`, with the numbers that a method reads."""
    asked = text_of(record.prompt)
    who = ("annotator",) if "agreement" in record.columns else ()
    columns = {n: x for n, x in record.columns.items() if n in (*NUMBERS, *who)}
    numbers = f" {as_text(columns)}" if columns else ""
    match record:
        case Prompt():
            return f"{asked} {as_text({'examples': e})}" if (e := record.columns.get("examples")) else asked
        case Demonstration():
            return f"{asked} -> {_text(record.completion)}{numbers}"
        case Pair():
            return f"{asked}: {_text(record.chosen)} > {_text(record.rejected)}{numbers}"
        case Ranking():
            return f"{asked}: {' > '.join(map(_text, record.completions))}{numbers}"
        case Decision():
            return f"{asked}: {record.choices[record.chosen]} of {' or '.join(record.choices)}"
        case Steps():
            steps = zip(record.steps, record.labels, strict=True)
            return f"{asked} -> {' / '.join(f'{s} {_number(x)}' for s, x in steps)}"
        case Rating():
            return f"{asked} -> {_text(record.completion)} {'good' if record.label else 'bad'}"


def _estimate(estimate: Any) -> str:
    match estimate:
        case Verdict(rewards, accepted, finished):
            return f"verdict of {_rewards(rewards)} above {accepted:g}{' if finished' if finished else ''}"
        case Modelled(part):
            return _name(part)
        case Rollouts(_, sampling, name):
            return f"{sampling.samples} rollouts for {name}"
        case Judged(verdict, others):
            return f"{_estimate(verdict)}, else {_estimate(others)}"
    raise AssertionError(estimate)


def _stream(name: str) -> str:
    return "" if name == "main" else f"{name}: "


def _text(answer: Answer) -> str:
    return answer_text(answer)


def _opponent(prompt: Prompt) -> str:
    return f" against {prompt.columns['opponent']}" if "opponent" in prompt.columns else ""


def _name(part: Any) -> str:
    if not isinstance(part, Part):
        return str(part.__name__)
    inner = dict.fromkeys(_name(p) for _, p in part.binds if isinstance(p, Part))
    return f"{part.name}({', '.join(inner)})" if inner else part.name


def _rewards(rewards: Any) -> str:
    return "rewards" if rewards is None else "no rewards" if rewards == () else str(rewards)


def as_text(values: Mapping[str, Any]) -> str:
    return " ".join(f"{n}={_number(x)}" for n, x in values.items())


def _number(x: Any) -> str:
    if isinstance(x, float):
        return f"{x:.6g}"
    if isinstance(x, Mapping):
        return "{" + as_text(x) + "}"
    return "[" + " ".join(map(_number, x)) + "]" if isinstance(x, list | tuple) else str(x)
