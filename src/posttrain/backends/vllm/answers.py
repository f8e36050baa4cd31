"""The answers of one call, as far as they are drawn. The engine draws tokens; where an answer ends is decided here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from posttrain.sampling.request import Completion, OnFinished, Pause, Request
from posttrain.sampling.sequence import RunningSequence


@dataclass
class Answers:
    """Requests by their number in the engine, which is never used twice, so that late tokens find nobody.

    `first`: the number of the first request. `steps`: the training steps behind the weights. `stop`: the tokens that
    end every answer.
    """

    first: int
    steps: int
    stop: frozenset[int]
    pause: Pause
    on_finished: OnFinished | None = None
    requests: list[Request] = field(default_factory=list)
    running: dict[int, RunningSequence] = field(default_factory=dict)
    done: dict[int, Completion] = field(default_factory=dict)
    drawn: int = 0
    enough: bool = False

    def add(self, requests: Sequence[Request]) -> list[dict[str, Any]]:
        """Begin answers; returns what the engine must know of them."""
        numbers = range(self.first + len(self.requests), self.first + len(self.requests) + len(requests))
        stamped = [replace(r, version=self.steps) for r in requests]
        self.requests += stamped
        for number, r in zip(numbers, stamped, strict=True):
            self.running[number] = RunningSequence(number, r, [], list(r.partial.tokens), list(r.partial.logp))
        return [self.asked(number) for number in numbers]

    def asked(self, number: int) -> dict[str, Any]:
        """A request as the engine reads it; what is drawn already is a part of what it reads."""
        s = self.running[number]
        r = s.request
        return {
            "number": number,
            "tokens": [*r.prompt, *s.tokens],
            "seed": r.seed,
            "total": r.max_tokens,
            "before": len(s.tokens),
            "temperature": r.temperature,
            "top_k": r.top_k,
            "top_p": r.top_p,
            "stop": sorted(self.stop),
        }

    def take(self, drawn: Iterable[Sequence[Any]]) -> list[int]:
        """Take the tokens of a step. Returns the numbers of answers that are over, but not for the engine."""
        over = []
        for number, token, logp in drawn:
            if (s := self.running.get(number)) is None:
                continue
            s.tokens.append(token)
            s.logp.append(logp)
            self.drawn += 1
            ended, at_its_end = s.ended(self.stop), len(s.tokens) == s.request.max_tokens
            finished = ended or at_its_end
            if finished or s.num_drawn == self.pause.each:
                if not at_its_end and token not in self.stop:
                    over.append(number)
                self._finish(number, s.completion(ended=ended, finished=finished))
        self.enough |= self.pause.tokens is not None and self.drawn >= self.pause.tokens
        whole = sum(c.finished for c in self.done.values())
        self.enough |= self.pause.finished is not None and whole >= self.pause.finished
        return over

    def _finish(self, number: int, completion: Completion) -> None:
        del self.running[number]
        self.done[number] = completion
        if completion.finished and self.on_finished is not None:
            self.enough |= self.on_finished(number - self.first, completion)

    def suspend(self) -> list[int]:
        """Give up what is not finished; returns the numbers that the engine must forget."""
        numbers = list(self.running)
        for number, s in self.running.items():
            self.done[number] = s.completion(ended=False, finished=False)
        self.running.clear()
        return numbers

    def completions(self) -> list[Completion]:
        """One for each request, in their order."""
        return [self.done[self.first + i] for i in range(len(self.requests))]
