"""Chain of Hindsight Aligns Language Models with Feedback (Liu, Sferrazza and Abbeel, 2023).

Comparisons become text: a question, feedback on an answer, the answer; or two answers, the second in view of the first.
The model is trained on the answers, never on the feedback. Afterwards, ask it with the feedback of a good answer.

    L = -log π(y_w | x, good) - log π(y_l | x, bad) - log π(y_w | x, bad, y_l, good) - log π(y_l | x, good, y_w, bad)

Each pair is shown in one of the `formats`, drawn at random. A sequence of two answers is two rows here, which gives the
same sum. The format good alone is SFT on the preferred answers. Left out: the masking of random past tokens and the
likelihood of pretraining text (`imitation/sft` on both, if you need it).
"""

from __future__ import annotations

from posttrain.data.dataset import Dataset
from posttrain.errors import ConfigError
from posttrain.records import Demonstration, Pair
from posttrain.seeds import seed_for
from posttrain.selection.prompts import extended
from posttrain.training.session import NO_OPTIONS, Options, Session
from posttrain.turns import answer_text

FORMATS = ("good", "bad", "bad_good", "good_bad")


def chain_of_hindsight(
    session: Session,
    pairs: Dataset,
    *,
    good: str = "\nA helpful answer: ",
    bad: str = "\nAn unhelpful answer: ",
    formats: tuple[str, ...] = FORMATS,
    sft: Options = NO_OPTIONS,
) -> dict[str, float]:
    """SFT on answers that follow feedback in words.

    Settings:
        good: feedback before a preferred answer; any text.
        bad: feedback before a rejected answer; any text.
        formats: names of the formats that pairs are shown in: any of good, bad, bad_good and good_bad.
        sft: options of the SFT stage: any keys of `train`, and `settings` of its method.
    """
    if unknown := [f for f in formats if f not in FORMATS]:
        raise ConfigError(f"procedure.formats: unknown format {unknown[0]!r}; formats are {', '.join(FORMATS)}")
    feedback = {"good": good, "bad": bad}
    rows = [row for p in pairs if isinstance(p, Pair) for row in hindsight(p, _format(session, p, formats), feedback)]
    return session.train("imitation/sft", Dataset(tuple(rows), f"{pairs.name} in hindsight"), rewards=(), **sft)


def hindsight(pair: Pair, shown: str, feedback: dict[str, str]) -> list[Demonstration]:
    """Return a pair in one format: each answer after the feedback on it, the second one after the first answer too."""
    answers = {"good": pair.chosen, "bad": pair.rejected}
    prompt, rows = pair.prompt, []
    for side in shown.split("_"):
        prompt = extended(prompt, feedback[side])
        rows.append(Demonstration(seed_for(shown, side, pair.id), prompt, answers[side], pair.where))
        prompt = extended(prompt, answer_text(answers[side]))
    return rows


def _format(session: Session, pair: Pair, formats: tuple[str, ...]) -> str:
    return formats[session.seed("format", pair.id) % len(formats)]
