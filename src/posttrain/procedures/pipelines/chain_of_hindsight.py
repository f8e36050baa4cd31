"""Chain of Hindsight Aligns Language Models with Feedback (Liu, Sferrazza and Abbeel, 2023).

Comparisons become text: a question, what was said about an answer, the answer; or two answers, the second in the light
of the first. The model learns the answers, never the feedback. Afterwards ask it with the words for a good one.

    L = -log π(y_w | x, good) - log π(y_l | x, bad) - log π(y_w | x, bad, y_l, good) - log π(y_l | x, good, y_w, bad)

Each pair is shown in one of the `formats`, by chance. A sequence of two answers is two rows here, which gives the
same sum. Only "good" would be SFT on the preferred answers. Left out: the hiding of random past tokens and the
likelihood of pre-training text (`imitation/sft` on both, if you need it).
"""

from __future__ import annotations

from posttrain.data.dataset import Dataset
from posttrain.errors import ConfigError
from posttrain.records import Demonstration, Pair
from posttrain.seeds import seed_for
from posttrain.selection.prompts import extended
from posttrain.training.session import NONE, Options, Session
from posttrain.turns import answer_text

FORMATS = ("good", "bad", "bad_good", "good_bad")


def chain_of_hindsight(
    session: Session,
    pairs: Dataset,
    *,
    good: str = "\nA helpful answer: ",
    bad: str = "\nAn unhelpful answer: ",
    formats: tuple[str, ...] = FORMATS,
    sft: Options = NONE,
) -> dict[str, float]:
    """SFT on answers that follow feedback in words."""
    if unknown := [f for f in formats if f not in FORMATS]:
        raise ConfigError(f"procedure.formats: unknown format {unknown[0]!r}; formats are {', '.join(FORMATS)}")
    words = {"good": good, "bad": bad}
    told = [row for p in pairs if isinstance(p, Pair) for row in hindsight(p, _format(session, p, formats), words)]
    return session.train("imitation/sft", Dataset(tuple(told), f"{pairs.name} in hindsight"), rewards=(), **sft)


def hindsight(pair: Pair, shown: str, words: dict[str, str]) -> list[Demonstration]:
    """A pair in one format: each answer after the words about it, the second one after the first answer too."""
    answers = {"good": pair.chosen, "bad": pair.rejected}
    asked, told = pair.prompt, []
    for side in shown.split("_"):
        asked = extended(asked, words[side])
        told.append(Demonstration(seed_for(shown, side, pair.id), asked, answers[side], pair.where))
        asked = extended(asked, answer_text(answers[side]))
    return told


def _format(session: Session, pair: Pair, formats: tuple[str, ...]) -> str:
    return formats[seed_for(session.run.seed, "format", pair.id) % len(formats)]
