"""RL of Thoughts: Navigating LLM Reasoning with Inference-time Reinforcement Learning (Hao et al., 2025).

RLoT: the policy stays as it is, and a controller of fewer than 3,000 parameters says what it does next: a step, simpler
questions, a debate, a refinement, or the end. It reads seven grades that the policy gives its own solution so far.

    s ∈ {1, 2, 3}^7;    r = P(Yes | is the solution right so far?);    duelling double DQN

The judge stands for the paper's process reward model, and is asked in training only. The weights of the controller are
the artefact `navigator`. It then leads through the questions of `held_out`, and the solutions are the artefact `led`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from posttrain.data.dataset import Dataset
from posttrain.judges.options import filled
from posttrain.procedures.judging import user
from posttrain.search.blocks import ACTIONS, ASPECTS, BLOCKS, LAST, NEXT, RATING, grades
from posttrain.search.navigator import Navigator, Transition, fit, greedy
from posttrain.seeds import SEEDS
from posttrain.selection.prompts import prompts_of
from posttrain.training.session import Session
from posttrain.turns import last_user_message

YES_OR_NO = ("Yes", "No")
JUDGE = (
    "<question>\n{question}\n</question>\n<solution>\n{solution}\n</solution>\nIs the solution right so far? Reply "
    "with Yes or No alone."
)


@dataclass
class Path:
    """A solution on its way: its question, what was written, the grades of that, and the blocks that wrote it."""

    question: str
    solution: str = ""
    state: tuple[float, ...] = ()
    blocks: tuple[str, ...] = ()

    @property
    def done(self) -> bool:
        """Whether the last block was the end."""
        return self.blocks[-1:] == (ACTIONS[LAST],)


def rlot(
    session: Session,
    prompts: Dataset,
    held_out: Dataset | None = None,
    *,
    rounds: int = 4,
    horizon: int = 5,
    explore: float = 0.3,
    discount: float = 0.9,
    fits: int = 200,
    learning_rate: float = 3e-3,
    width: int = 32,
    speaker: str = "policy",
    judge: str = "policy",
    rating: str = RATING,
    question: str = JUDGE,
) -> dict[str, float]:
    """Rounds of: lead through the prompts, at times at random -> fit the controller; then lead through `held_out`.

    Settings:
        rounds: number of rounds; at least 1.
        horizon: blocks of a solution at most, of which the last is the end; at least 1, 5 is usual.
        explore: share of random blocks; 0 to 1, 0.1 to 0.5 is usual.
        discount: γ, what a reward one block later counts; 0 to 1.
        fits: steps of the controller in a round; at least 1.
        learning_rate: that of the controller; above 0, 1e-3 to 1e-2 is usual.
        width: numbers of its hidden layers; at least 1, up to 46 it has fewer than 3,000 parameters.
        speaker: model that reasons and grades itself; any of `models`, or policy.
        judge: model that says whether a solution is right so far; any of `models`, or policy.
        rating: request for grades; any text with {question} and {solution} to which it replies with seven numbers.
        question: request for the judge; any text with {question} and {solution} to which it replies Yes or No.
    """
    navigator = Navigator(len(ASPECTS), len(ACTIONS), width=width, seed=session.seed("navigator"))
    leader = Leader(session, navigator, speaker, rating, horizon)
    memory: list[Transition] = []
    metrics: dict[str, float] = {}
    for n in range(1, rounds + 1):
        new = leader.explore(f"round-{n}", starts(prompts), judge, question, explore)
        memory += new
        seed = session.seed("fit", n)
        loss = fit(navigator, memory, steps=fits, discount=discount, learning_rate=learning_rate, seed=seed)
        metrics = {"loss": loss, "reward": sum(t.reward for t in new) / len(new)}
        session.advance(n, rounds, metrics)
    session.artefact("navigator", navigator.state())
    if held_out is not None:
        led = leader.through("held-out", starts(held_out))
        session.artefact("led", {p.question: {"blocks": list(p.blocks), "solution": p.solution} for p in led})
    return metrics


def starts(prompts: Dataset) -> list[Path]:
    """Return a path for each question, of which nothing is written."""
    return [Path(last_user_message(p.prompt)) for p in prompts_of(prompts)]


@dataclass
class Leader:
    """Leads the model `speaker` from block to block, as a controller says."""

    session: Session
    navigator: Navigator
    speaker: str
    rating: str
    horizon: int

    def through(self, name: str, paths: list[Path]) -> list[Path]:
        """Lead through the questions to the end of all of them."""
        self.explore(name, paths, None, "", 0.0)
        return paths

    def explore(
        self, name: str, paths: Sequence[Path], judge: str | None, question: str, share: float
    ) -> list[Transition]:
        """Lead through the questions, with a `share` of random blocks. Returns what a judge says of each block."""
        found: list[Transition] = []
        self.grade(f"{name}-grades-0", paths)
        for t in range(1, self.horizon + 1):
            under_way = [p for p in paths if not p.done]
            if not under_way:
                break
            before = [p.state for p in under_way]
            actions = self.chosen(name, t, before, share)
            self.write(f"{name}-blocks-{t}", under_way, actions)
            self.grade(f"{name}-grades-{t}", under_way)
            if judge is not None:
                asked = [user(filled(question, question=p.question, solution=p.solution)) for p in under_way]
                said = self.session.choose(f"{name}-judged-{t}", judge, asked, YES_OR_NO)
                steps = zip(under_way, before, actions, said, strict=True)
                found += [Transition(state, a, yes, p.state, p.done) for p, state, a, (yes, _) in steps]
        return found

    def chosen(self, name: str, t: int, states: Sequence[tuple[float, ...]], share: float) -> list[int]:
        """Return a block for each state: the best, or a random one; the end where no other block may follow."""
        if t == self.horizon:
            return [LAST] * len(states)
        best, seed = greedy(self.navigator, states), self.session.seed
        return [
            seed(name, t, i, "block") % len(ACTIONS) if seed(name, t, i, "random") < share * SEEDS else b
            for i, b in enumerate(best)
        ]

    def write(self, name: str, paths: Sequence[Path], actions: Sequence[int]) -> None:
        """Let the model write the next block of each solution."""
        blocks = [ACTIONS[a] for a in actions]
        asked = [
            user(filled(NEXT, question=p.question, solution=p.solution, block=BLOCKS[b]))
            for p, b in zip(paths, blocks, strict=True)
        ]
        for p, b, (text,) in zip(paths, blocks, self.session.ask(name, self.speaker, asked), strict=True):
            p.solution, p.blocks = f"{p.solution}{text}\n", (*p.blocks, b)

    def grade(self, name: str, paths: Sequence[Path]) -> None:
        """Let the model grade its solutions so far."""
        asked = [user(filled(self.rating, question=p.question, solution=p.solution)) for p in paths]
        said = self.session.ask(name, self.speaker, asked, temperature=0.0)
        for p, (text,) in zip(paths, said, strict=True):
            p.state = grades(text)
