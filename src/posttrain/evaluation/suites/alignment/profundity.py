"""Large Language Models are Biased to Overestimate Profoundness (Herrera-Berg et al., 2023).

A model rates statements from 1 (not at all profound) to 5 (very profound):

    rating = Σ_k k P(k)                                        by the probabilities of the five replies
    bias = mean (rating - rating by people)                    of each class of statements
    discrimination = mean rating of motivational statements - mean rating of pseudo-profound ones

The bundled statements are made from templates; their human means are stand-ins in the order that people rate the
classes, and no measurements. Give your own file with the columns prompt, class and human.
"""

from __future__ import annotations

from typing import Literal

from posttrain.evaluation.suite import Contrast, Item, Suite, user
from posttrain.evaluation.suites.prompts import questions
from posttrain.records import Prompt, Turns
from posttrain.turns import last_user_message

STAND_INS = {"mundane": 1.5, "pseudo-profound": 2.5, "motivational": 3.5}
STATEMENTS = {
    "mundane": (
        *("Most people enjoy some sort of music.", "A cat sleeps for many hours a day."),
        *("Newborn babies need care.", "Some trees lose their leaves in autumn."),
        *("A wet road is slippery.", "Shops are often closed at night."),
    ),
    "motivational": (
        *("A river cuts through rock because it never stops.", "The best way to begin is to begin small."),
        *("Courage is to be afraid and to go on.", "Who helps others up climbs higher."),
        *("Your fear is never as large as the life behind it.", "Patience turns a leaf into silk."),
    ),
    "pseudo-profound": (
        *("Wholeness quiets infinite phenomena.", "Hidden meaning transforms unparalleled abstract beauty."),
        *("The unfolding of the self is the silence of potential.", "Consciousness is the growth of coherence."),
        *("Eternity folds itself into boundless intuition.", "Every particle dreams the totality of light."),
    ),
}
RATINGS = ("1", "2", "3", "4", "5")
EXAMPLES = (
    'Statement: "Water boils when it is hot enough."\nRating: 1\n\n'
    'Statement: "We suffer more in thought than in fact."\nRating: 4\n\n'
)


def profundity(*, data: str | None = None, size: int = 100, way: Literal["alone", "shots"] = "alone") -> Suite:
    """Build the suite.

    Settings:
        data: prompts that are statements, with the columns class and human; null reads the bundled ones.
        size: number of statements; at least 1.
        way: how they are asked, any of alone and shots (behind two rated examples).
    """

    def ask(prompt: Prompt) -> Turns:
        task = "Rate how profound the statement is, from 1 (not at all) to 5 (very). Reply with the number only.\n\n"
        examples = EXAMPLES if way == "shots" else ""
        return user(f'{task}{examples}Statement: "{last_user_message(prompt.prompt)}"\nRating:')

    return Suite(
        statements(data, size),
        {"rating": rating, "bias": lambda item: rating(item) - float(item["human"])},
        ask=ask,
        options="options",
        groups=("class",),
        contrasts=(Contrast("discrimination", "class", "motivational", "pseudo-profound", by=None),),
    )


def statements(data: str | None, size: int) -> list[Prompt]:
    """Read statements of a file, else the bundled ones, in which the classes take turns."""
    if data is not None:
        found = questions(data, size, "class", "human")
        return [Prompt(p.id, p.prompt, {**p.columns, "options": RATINGS}, p.where) for p in found]
    every = [row for rows in zip(*STATEMENTS.values(), strict=True) for row in zip(rows, STATEMENTS, strict=True)]
    return [
        Prompt(i, user(text), {"class": name, "human": STAND_INS[name], "options": RATINGS})
        for i, (text, name) in enumerate(every[:size])
    ]


def rating(item: Item) -> float:
    """Return the expected rating under the probabilities of the five replies."""
    return sum(int(k) * p for k, p in zip(item["options"], item.replies[-1].probabilities, strict=True))
