"""Labels of pairs as acts of a feedback file: who, what was shown in which order, how probable, why."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from posttrain.judges.options import COMPARE, OPTIONS, in_both_orders, preference
from posttrain.records import Pair, Turns
from posttrain.seeds import seed_for
from posttrain.turns import answer_text, last_user_message

EVEN = 0.5


class Judge(Protocol):
    """What is asked of a text role (roles/protocol.py)."""

    def ask(self, conversations: Sequence[Turns], *, max_tokens: int) -> list[list[str]]: ...

    def choose(self, conversations: Sequence[Turns], options: Sequence[str]) -> list[list[float]]: ...


@dataclass(frozen=True)
class Labeller:
    """A judge with its name and instructions. `reason`: a request to think before it chooses; empty asks for none.

    `abstain`: distance of the probability from a half below which it says nothing.
    """

    name: str
    judge: Judge
    question: str = COMPARE
    principle: str = ""
    reason: str = ""
    abstain: float = 0.0
    max_tokens: int = 256

    def act_id(self, pair: Pair) -> str:
        """Return the id of an act, by which a file that is continued knows what it holds."""
        said = (self.name, self.question, self.principle, self.reason, *_shown(pair))
        return f"{seed_for(json.dumps(pair.prompt, default=dict), *said):014x}"

    def acts(self, pairs: Sequence[Pair]) -> list[dict[str, Any]]:
        """Judge pairs in both orders and return an act for each."""
        asked = [
            text
            for p in pairs
            for text in in_both_orders(self.question, last_user_message(p.prompt), *_shown(p), principle=self.principle)
        ]
        reasons = [""] * len(asked)
        if self.reason:
            thinking = [_user(f"{text}\n{self.reason}") for text in asked]
            reasons = [own[0] for own in self.judge.ask(thinking, max_tokens=self.max_tokens)]
            asked = [f"{text}\n{said}\n" for text, said in zip(asked, reasons, strict=True)]
        chosen = self.judge.choose([_user(text) for text in asked], OPTIONS)
        return [
            self._act(p, one, other, reason)
            for p, one, other, reason in zip(pairs, chosen[::2], chosen[1::2], reasons[::2], strict=True)
        ]

    def _act(self, p: Pair, one: Sequence[float], other: Sequence[float], reason: str) -> dict[str, Any]:
        """The act on one pair. The probabilities of the first answer in each order stand beside the judgement."""
        act = {
            "act": self.act_id(p),
            "annotator": self.name,
            "role": "model",
            "prompt": p.prompt if isinstance(p.prompt, str) else [dict(m) for m in p.prompt],
            "answers": [{"text": text} for text in _shown(p)],
            "shown": [0, 1],
            "judgement": self._judgement(preference(one, other)),
            "reason": reason or None,
            "time": datetime.now(UTC).isoformat(timespec="seconds"),
            "columns": {"shown_first": one[0], "shown_second": other[1]},
        }
        return {name: value for name, value in act.items() if value is not None}

    def _judgement(self, win: float) -> Mapping[str, Any]:
        if abs(win - EVEN) < self.abstain:
            return {"type": "skip", "why": f"the first is better with a probability of {win:.3f}"}
        return {"type": "preference", "preferred": 0 if win >= EVEN else 1, "confidence": max(win, 1 - win)}


def _shown(p: Pair) -> tuple[str, str]:
    return answer_text(p.chosen), answer_text(p.rejected)


def _user(text: str) -> tuple[dict[str, str]]:
    return ({"role": "user", "content": text},)
