"""Twenty questions: find out by yes and no which thing the other side has in mind.

A question that names one property ("Does it live in water?") is answered; a question that names one thing of the list
("Is it a cat?") is a guess. The right guess is worth 1 and ends the episode; it is over without anything after the last
question, or after too many wrong guesses. Other questions are answered with "I cannot say" and count.

The column `secret` holds the thing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from posttrain.data.problem import Draws
from posttrain.environments.environment import Outcome
from posttrain.environments.text_game import TextGame, observed
from posttrain.errors import DataError
from posttrain.records import Prompt

# Each property: the words that ask for it, and the things that have it.
PROPERTIES: dict[str, tuple[str, str]] = {
    "alive": ("alive living", "cat dog cow horse eagle penguin shark salmon bee ant oak rose wheat cactus"),
    "animal": ("animal", "cat dog cow horse eagle penguin shark salmon bee ant"),
    "bird": ("bird feathers", "eagle penguin"),
    "flies": ("fly flies flying", "eagle bee aeroplane kite"),
    "swims": ("swim swims float floats water", "shark salmon penguin boat"),
    "four legs": ("four", "cat dog cow horse chair table"),
    "eaten": ("eat eaten edible food", "cow salmon wheat bread cheese"),
    "milk": ("milk dairy", "cow cheese"),
    "big": ("big large bigger", "cow horse shark oak car boat aeroplane train table"),
    "small": ("small tiny smaller", "bee ant spoon cup"),
    "sharp": ("sharp sting stings thorns", "shark bee rose cactus knife"),
    "pet": ("pet house furniture", "cat dog chair table lamp clock"),
    "ridden": ("ride ridden rides passengers", "horse car bicycle boat aeroplane train"),
    "wheels": ("wheel wheels road", "car bicycle"),
    "kitchen": ("kitchen cook cooking meal", "spoon cup knife bread cheese"),
    "metal": ("metal iron steel", "car bicycle aeroplane train spoon knife"),
    "electric": ("electric electricity battery", "lamp train clock telephone"),
    "light": ("light lights shine shines", "lamp"),
    "speaks": ("speak speaks talk bark barks", "dog telephone"),
    "farm": ("farm farmer farms", "cow horse wheat bee"),
    "dry": ("desert dry", "cactus"),
}
THINGS = sorted({thing for _, things in PROPERTIES.values() for thing in things.split()})
_WORDS = {word: name for name, (words, _) in PROPERTIES.items() for word in words.split()}


class TwentyQuestions(TextGame):
    """Twenty questions.

    Settings:
        questions: number of questions, guesses included; at least 1.
        guesses: number of wrong guesses that ends the game; at least 1, and fewer than there are things.
    """

    def __init__(self, *, questions: int = 20, guesses: int = 3) -> None:
        self.questions = questions
        self.guesses = guesses
        self.secret = ""
        self.asked = 0
        self.wrong: list[str] = []

    @classmethod
    def tasks(cls, count: int, seed: int) -> Sequence[Mapping[str, Any]]:
        """Take things one after the other, in an order of the seed; each comes once before any comes again."""
        order = sorted(THINGS, key=lambda thing: Draws("twenty_questions", seed, thing).integer(0, 10**9))
        prompt = (
            f"I have one of these things in mind: {', '.join(THINGS)}. Find out which. Ask one question at a time that "
            "I can answer with yes or no, such as: Does it fly? When you are sure, ask: Is it a cat?"
        )
        return [{"prompt": prompt, "secret": order[number % len(order)]} for number in range(count)]

    def begin(self, prompt: Prompt, seed: int) -> str:  # noqa: ARG002 -- no chance
        self.secret = str(prompt.columns.get("secret"))
        if self.secret not in THINGS:
            raise DataError(f"{prompt.where or 'secret'}: {self.secret!r} is none of the things: {', '.join(THINGS)}")
        return f"You have {self.questions} questions and {self.guesses} guesses."

    def play(self, move: str) -> Outcome:
        self.asked += 1
        words = re.findall(r"[a-z]+", move)
        guessed = set(words) & set(THINGS)
        if guessed == {self.secret}:
            return observed("Yes! That is it.", 1.0, done=True, won=True, questions=self.asked)
        if len(guessed) == 1:
            self.wrong += guessed
        reply = "No, that is not it." if len(guessed) == 1 else answered(words, self.secret)
        over = self.asked >= self.questions or len(self.wrong) >= self.guesses
        left = "" if over else f" {self.questions - self.asked} questions left."
        return observed(reply + left, done=over, won=False, questions=self.asked)


def answered(words: Sequence[str], secret: str) -> str:
    """Answer a question about one property: it is the only one whose words stand in it."""
    names = {_WORDS[word] for word in words if word in _WORDS}
    if len(names) != 1 or set(words) & set(THINGS):
        return "I cannot say. Ask about one property or about one thing."
    return "Yes." if secret in PROPERTIES[names.pop()][1].split() else "No."
