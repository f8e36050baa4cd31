"""PREDILECT: Preferences Delineated with Zero-Shot Language-based Reasoning in Reinforcement Learning
(Holk et al., 2024).

People say why they prefer an answer, a language model reads of each part of both answers whether they praise or
criticise it, and the reward model learns the preference and these highlights.

    h(part) = P(praised) - P(criticised),    kept where |h| >= least

The reason is the column `reason` of a pair; a pair without one has no highlights. Parts are sentences and lines, where
the paper's are the states of a trajectory at which a feature stands out.
"""

from __future__ import annotations

from dataclasses import replace

from posttrain.data.dataset import Dataset
from posttrain.judges.options import filled
from posttrain.procedures.judging import user
from posttrain.records import Answer, Pair
from posttrain.selection.answers import dataset
from posttrain.selection.highlights import highlights, parts
from posttrain.training.session import NO_OPTIONS, Options, Session
from posttrain.turns import answer_text, last_user_message

OPTIONS = ("A", "B", "C")
QUESTION = (
    "A person compared two answers to a question and prefers one. Here is why, and a part of the {which} answer.\n"
    "<question>\n{prompt}\n</question>\n<reason>\n{reason}\n</reason>\n<part>\n{part}\n</part>\n"
    "Does the reason praise what this part does (A), criticise it (B), or neither (C)? Reply with A, B or C alone."
)


def predilect(
    session: Session,
    pairs: Dataset,
    *,
    reader: str = "judge",
    question: str = QUESTION,
    least: float = 0.5,
    reward: Options = NO_OPTIONS,
) -> dict[str, float]:
    """Read the reason of each pair -> highlight parts of both answers -> reward model of preferences and highlights.

    Settings:
        reader: name of the model that reads reasons; any of `models`, or policy.
        question: question to it; any text, where {which}, {prompt}, {reason} and {part} are filled in.
        least: size of a highlight below which it does not count; 0 to 1.
        reward: options of the stage of reward/highlights: any keys of `train`, and `settings` of its method.
    """
    shown = [p for p in pairs if isinstance(p, Pair)]
    sides = [side for p in shown for side in (Side(p, "preferred", p.chosen), Side(p, "other", p.rejected))]
    asked = [user(text) for side in sides for text in side.questions(question)]
    said = iter(session.choose("highlights", reader, asked, OPTIONS))
    found = [highlights(side.places, [next(said) for _ in side.places], least=least) for side in sides]
    session.note(f"{sum(map(len, found))} of {len(asked)} parts are highlighted")
    seen = [
        replace(p, columns={**p.columns, "chosen_highlight": own, "rejected_highlight": other})
        for p, own, other in zip(shown, found[::2], found[1::2], strict=True)
    ]
    session.copy("policy", "reward")
    return session.train("reward/highlights", dataset(seen, "pairs with highlights"), rewards=(), **reward)


class Side:
    """One answer of a pair and the places of its parts; none where nobody said why."""

    def __init__(self, pair: Pair, which: str, answer: Answer) -> None:
        self.pair = pair
        self.which = which
        self.text = answer_text(answer)
        self.reason = pair.columns.get("reason") or ""
        self.places = parts(self.text) if self.reason else []

    def questions(self, template: str) -> list[str]:
        """Return a question about each part."""
        asked = last_user_message(self.pair.prompt)
        return [
            filled(template, which=self.which, prompt=asked, reason=self.reason, part=self.text[a:b])
            for a, b in self.places
        ]
