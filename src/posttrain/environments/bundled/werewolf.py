"""A small game of werewolf: five players, hidden roles, and opponents that are played by a script.

One player is the werewolf, one the seer, three are villagers. At night the werewolf kills somebody and the seer learns
whether one player is the werewolf. By day the players accuse each other, and then vote somebody out; a tie spares all.
The village wins when the werewolf is out, the werewolf when only one other is left. The policy plays the role of the
column `role`; its commands are `kill Ada`, `check Ada` and `vote Ada`, and its vote is heard before the others vote.

The reward is 1 at the end where the side of the policy wins, also after it has died. Two answers that name nobody
forfeit the game.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from posttrain.data.problem import Draws
from posttrain.environments.environment import Outcome
from posttrain.environments.text_game import TextGame, observed
from posttrain.errors import DataError
from posttrain.records import Prompt

WOLF, SEER, VILLAGER = "werewolf", "seer", "villager"
YOU = "you"
OTHERS = ("Ada", "Ben", "Cleo", "Dan")
RULES = (
    "You play werewolf with Ada, Ben, Cleo and Dan. One of you is the werewolf, one the seer, three are villagers. "
    "Answer each time with one line that says what you are asked for, such as: vote Ada."
)
SEEN = 3  # how much the word of somebody who claims to have seen it counts, against 1 of a mere accusation


class Werewolf(TextGame):
    """Play a small game of werewolf.

    Settings:
        mistakes: number of answers without a valid command that forfeits the game; at least 1.
    """

    def __init__(self, *, mistakes: int = 2) -> None:
        self.mistakes = mistakes
        self.roles: dict[str, str] = {}
        self.alive: list[str] = []
        self.known: set[str] = set()  # whom the seer has checked
        self.suspicion: Counter[str] = Counter()
        self.night = True
        self.wrong = 0
        self.draw = Draws("werewolf")

    @classmethod
    def tasks(cls, count: int, seed: int) -> Sequence[Mapping[str, Any]]:
        """Draw the role of the policy: each a third of the time."""
        draw = Draws("werewolf", "tasks", seed)
        return [{"prompt": RULES, "role": draw.choose((WOLF, SEER, VILLAGER))} for _ in range(count)]

    def begin(self, prompt: Prompt, seed: int) -> str:
        left = [WOLF, SEER, VILLAGER, VILLAGER, VILLAGER]
        role = str(prompt.columns.get("role"))
        if role not in left:
            raise DataError(f"{prompt.where or 'role'}: {role!r} is no role: {WOLF}, {SEER} or {VILLAGER}")
        left.remove(role)
        self.draw = Draws("werewolf", seed)
        self.roles, self.alive = {YOU: role}, [*OTHERS, YOU]
        for name in OTHERS:
            self.roles[name] = self.draw.choose(left)
            left.remove(self.roles[name])
        return f"You are the {role}. " + (self._ask() if role != VILLAGER else self._sleep(None))

    def choices(self) -> Sequence[str]:
        verb = "vote" if not self.night else "kill" if self.roles[YOU] == WOLF else "check"
        return [f"{verb} {name.casefold()}" for name in self.alive if name != YOU]

    def play(self, move: str) -> Outcome:
        if move not in self.choices():
            self.wrong += 1
            lost = self.wrong >= self.mistakes
            return observed("You forfeit." if lost else f"I did not understand. {self._ask()}", done=lost, won=False)
        target = move.partition(" ")[2].title()
        text = self._sleep(target) if self.night else self._vote(target)
        while not self._over() and YOU not in self.alive:
            text += " " + (self._sleep(None) if self.night else self._vote(None))
        if not self._over():
            return observed(text)
        winner = WOLF if WOLF in self._living() else "village"
        won = (self.roles[YOU] == WOLF) == (winner == WOLF)
        return observed(f"{text} The {winner} wins.", float(won), done=True, won=won)

    # ---- nights and days

    def _sleep(self, target: str | None) -> str:
        """Let a night pass, and the accusations of the next morning; `target` is whom the policy kills or checks."""
        seen = target if self.roles[YOU] == SEER else self._pick(n for n in self.alive if self._hidden(n))
        self.known |= {seen} if seen and SEER in self._living() else set()
        prey = [n for n in self.alive if self.roles[n] != WOLF and (n != YOU or self.suspicion)]
        victim = target if self.roles[YOU] == WOLF and target else self.draw.choose(prey)
        self.alive.remove(victim)
        self.night = False
        text = f"In the morning {victim} is dead: the role was {self.roles[victim]}."
        if target and self.roles[YOU] == SEER:
            text = f"{target} is {'' if self.roles[target] == WOLF else 'not '}the werewolf. {text}"
        if self._over():
            return text
        return " ".join([text, *self._accusations(), *([self._ask()] if YOU in self.alive else [])])

    def _accusations(self) -> list[str]:
        """Let the others say whom they suspect."""
        said = []
        for name in (n for n in self.alive if n != YOU):
            wolf = next((n for n in self.alive if n in self.known and self.roles[n] == WOLF), None)
            seen = self.roles[name] == SEER and wolf is not None
            suspect = wolf if seen and wolf else self.draw.choose([n for n in self.alive if n != name])
            self.suspicion[suspect] += SEEN if seen else 1
            said.append(f"{name} says: {'I have seen that' if seen else 'I think'} {suspect} is the werewolf.")
        return said

    def _vote(self, target: str | None) -> str:
        """Vote somebody out; `target` has the vote of the policy, and its word counts as an accusation."""
        votes: Counter[str] = Counter()
        if target:
            votes[target] += 1
            self.suspicion[target] += SEEN if target in self.known and self.roles[YOU] == SEER else 1
        for name in (n for n in self.alive if n != YOU):
            others = [n for n in self.alive if n != name and not (self.roles[name] == SEER and self._cleared(n))]
            most = max(self.suspicion[n] for n in others or self.alive)
            votes[self.draw.choose([n for n in others or self.alive if self.suspicion[n] == most])] += 1
        (first, count), *rest = votes.most_common()
        self.night = True
        out = [] if rest and rest[0][1] == count else [first]
        self.alive = [n for n in self.alive if n not in out]
        text = f"{first} is voted out: the role was {self.roles[first]}." if out else "The vote is a tie."
        if self._over() or YOU not in self.alive:
            return text
        return f"{text} {self._ask() if self.roles[YOU] != VILLAGER else self._sleep(None)}"

    def _ask(self) -> str:
        return f"{'Night falls' if self.night else 'It is day'}. Answer with one of: {', '.join(self.choices())}."

    # ---- who is who

    def _living(self) -> set[str]:
        return {self.roles[name] for name in self.alive}

    def _over(self) -> bool:
        return WOLF not in self._living() or len(self.alive) <= 2

    def _hidden(self, name: str) -> bool:
        return name not in self.known and self.roles[name] != SEER

    def _cleared(self, name: str) -> bool:
        return name in self.known and self.roles[name] != WOLF

    def _pick(self, names: Iterable[str]) -> str | None:
        options = list(names)
        return self.draw.choose(options) if options else None
