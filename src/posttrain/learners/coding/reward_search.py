"""The search for reward code: a speaker writes programs, learners try them, and somebody may compare or criticise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from posttrain.errors import SandboxError
from posttrain.learners.coding import words
from posttrain.learners.coding.reward_code import NAME, RewardTable, code_of, read_reward
from posttrain.learners.coding.scripted_code import right_code, wrong_codes
from posttrain.learners.coding.trial import Trial, tried
from posttrain.learners.q_learning import Settings
from posttrain.learners.questions import FIRST, NEITHER, SECOND, better
from posttrain.learners.speaker import Question, Speaker
from posttrain.learners.world import Table, World
from posttrain.sandbox.limits import Limits
from posttrain.sandbox.tier import Tier
from posttrain.search.evolution.archive import Archive
from posttrain.search.evolution.candidate import Candidate, Evaluated, Proposed
from posttrain.search.evolution.course import Ask, Match
from posttrain.search.evolution.elo import START

OUTCOMES = {FIRST: 1.0, SECOND: 0.0, NEITHER: 0.5}
NO_PROGRAM = f"the reply holds no program that defines {NAME}(state, action, after)"
TIE = 1e-3  # returns that differ by less are equal to the scripted judge


@dataclass
class RewardSearch:
    """Programs for one world. `seed`: of the learners, the same for every program, so that luck is the same.

    `critic`: who says in words what to change. `judge`: who compares how two learners behave; with one, the fitness of
    a program is the rating that comes of its matches, and its return is in the report alone.
    """

    world: World
    speaker: Speaker
    settings: Settings
    seed: int
    tier: Tier
    limits: Limits
    critic: Speaker | None = None
    judge: Speaker | None = None

    @cached_property
    def table(self) -> Table:
        """The exact table of the world: every step of it gets its reward in one batch of calls."""
        return self.world.table()

    @cached_property
    def _task(self) -> str:
        return words.task(self.world, self.table, numpy=self.limits.numpy)

    def write(self, asks: Sequence[Ask], archive: Archive) -> Iterator[Proposed]:
        """Ask for all programs together."""
        right, wrong = right_code(self.world, self.table), wrong_codes(self.world, self.table)
        said = self._criticised([archive[p] for p in dict.fromkeys(p for a in asks for p in a.parents)])
        prompts = [words.wish(self._task, a.operator, archive.of(a.parents), said) for a in asks]
        questions = [Question(text, (), right, wrong, draw=a.number + 1) for a, text in zip(asks, prompts, strict=True)]
        for text, reply in zip(prompts, self.speaker.answer(questions), strict=True):
            code = code_of(reply)
            yield Proposed(code, text, "" if code else NO_PROGRAM)

    def evaluate(self, candidates: Sequence[Candidate]) -> Iterator[Evaluated]:
        """Read each program in the sandbox, and let a learner learn from it."""
        for c in candidates:
            read = self.read(c.text or "")
            if isinstance(read, str):
                yield Evaluated(None, {"problem": read})
                continue
            trial = self.tried(read, self.seed)
            behaviour = words.behaviour(self.world, trial.learned.q, self.seed)
            report = {**trial.report(), "behaviour": behaviour, "return": trial.fitness}
            yield Evaluated(trial.fitness if self.judge is None else START, report)

    def compare(self, matches: Sequence[Match], archive: Archive) -> Iterator[float | None]:
        """Let the judge say which of two learners behaves better. None where the reply could not be read."""
        assert self.judge is not None
        questions = [self._question(archive[m.first], archive[m.second]) for m in matches]
        for said in self.judge.answer(questions):
            yield None if said is None else OUTCOMES[said]

    def read(self, program: str) -> RewardTable | str:
        """Return what a program says of every step, or what is wrong with it."""
        return read_reward(self.world, self.table, program, self.tier, self.limits)

    def reward(self, program: str) -> RewardTable:
        """Return what a program says that has worked before. Raises SandboxError where it does not work again."""
        read = self.read(program)
        if isinstance(read, str):
            raise SandboxError(f"a program that worked before does not any more: {read}")
        return read

    def tried(self, reward: RewardTable | None, seed: int) -> Trial:
        """Let a learner learn from a reward; None is the world's own."""
        return tried(self.world, reward, seed, self.settings)

    def _question(self, one: Candidate, other: Candidate) -> Question:
        text = (
            f"The goal: {self.world.goal}.\n\nThe first learner:\n{one.report['behaviour']}\n\nThe second learner:\n"
            f"{other.report['behaviour']}\n\nWhich one is better?"
        )
        gap = one.report["return"] - other.report["return"]
        truth = better(gap, TIE)
        return Question(text, (FIRST, SECOND, NEITHER), truth)

    def _criticised(self, parents: Sequence[Candidate]) -> dict[int, str]:
        """Ask the critic what is wrong with how the learners of these programs behave."""
        watched = [p for p in parents if p.works]
        if self.critic is None or not watched:
            return {}
        asked = [
            Question(
                f"The goal: {self.world.goal}.\n\n{p.report['behaviour']}\n\nWhat should change?",
                truth="It ended." if p.report["behaviour"].splitlines()[-1] != "It did not end." else "It must get on.",
                wrong=("All is well.",),
            )
            for p in watched
        ]
        return {p.number: said for p, said in zip(watched, self.critic.answer(asked), strict=True) if said}
