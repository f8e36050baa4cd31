"""Length-Controlled AlpacaEval: A Simple Way to Debias Automatic Evaluators (Dubois et al., 2024); Judging
LLM-as-a-Judge with MT-Bench and Chatbot Arena (Zheng et al., 2023).

A judge (the role `judge`) compares each answer with that of another model, in both orders:

    win                  1 if the answer is preferred in both orders, 0 if the other is, else 1/2
    length_controlled    the win rate at equal length
    first                how often the answer that is shown first is preferred: 1/2 without a bias
    elo                  the rating by Bradley and Terry among the authors of the other answers, who have 0 on average
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from posttrain.evaluation.metrics.ratings import ELO, bradley_terry
from posttrain.evaluation.metrics.win_rate import length_controlled_win_rate
from posttrain.evaluation.suite import Item, Judging, Suite
from posttrain.evaluation.suites.prompts import questions
from posttrain.turns import last_user_message

QUESTION = (
    "Which answer is more helpful, accurate and clear? Length is no merit.\n\nQuestion: {question}\n\nAnswer A: {a}\n\n"
    "Answer B: {b}\n\nReply with A, B or TIE.\nDECISION:"
)
OWN = "model"


def win_rate(*, data: str, size: int = 100, max_tokens: int = 256) -> Suite:
    """Build the suite.

    Settings:
        data: prompts with a column `reference`, the other answer, and perhaps `author`; any file or hub id.
        size: number of questions; at least 1.
        max_tokens: longest answer in tokens; at least 1.
    """
    prompts = questions(data, size, "reference")
    several = all("author" in p.columns for p in prompts)
    return Suite(
        prompts,
        {"win": win, "words": lambda item: float(len(item.text.split()))},
        wholes={"length_controlled": length_controlled, "first": first} | ({"elo": elo} if several else {}),
        max_tokens=max_tokens,
        groups=("author",) if several else (),
        judge=Judging(both_orders, ("A", "B", "TIE")),
    )


def both_orders(item: Item) -> list[str]:
    """Ask about the answer first and second."""
    asked, other = last_user_message(item.prompt.prompt), str(item["reference"])
    pairs = ((item.text, other), (other, item.text))
    return [QUESTION.format(question=asked, a=a, b=b) for a, b in pairs]


def win(item: Item) -> float | None:
    """Return who is preferred, as above; None where a verdict could not be read."""
    if len(item.verdicts) != 2 or None in item.verdicts:
        return None
    return {"AB": 1.0, "BA": 0.0}.get("".join(map(str, item.verdicts)), 0.5)


def length_controlled(items: Sequence[Item]) -> float | None:
    """Return the win rate at equal length, in words."""
    read = [(x, i) for i in items if (x := win(i)) is not None]
    longer = [float(len(i.text.split()) - len(str(i["reference"]).split())) for _, i in read]
    return length_controlled_win_rate([x for x, _ in read], longer)


def first(items: Sequence[Item]) -> float | None:
    """Return how often the first of two answers is preferred; ties are left out."""
    named = [v == "A" for i in items for v in i.verdicts if v in ("A", "B")]
    return fmean(named) if named else None


def elo(items: Sequence[Item]) -> float | None:
    """Return the rating among the other authors, in Elo's scale; None where it would be infinite."""
    wins: dict[tuple[str, str], float] = {}
    for item in items:
        if (x := win(item)) is not None:
            author = f"author {item['author']}"
            for pair, won in (((OWN, author), x), ((author, OWN), 1 - x)):
                wins[pair] = wins.get(pair, 0.0) + won
    if not wins or 0.0 in wins.values():  # somebody has won always, or never
        return None
    rating = bradley_terry(wins)
    return ELO * (rating[OWN] - fmean(x for p, x in rating.items() if p != OWN))
