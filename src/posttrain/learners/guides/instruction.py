"""Language Instructed Reinforcement Learning for Human-AI Coordination (InstructRL; Hu & Sadigh, 2023).

An instruction makes a prior over the actions of the player who hears, and a learner is drawn to it:

    Q:    a* = argmax_a Q(o, a) + λ log p(a | o), in episodes with y = r + γ Q(o', a*')
    PPO:  loss + λ KL(π || p)

The prior decides between values that are nearly equal, and never enters a value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import permutations
from statistics import fmean

import numpy as np

from posttrain.learners.ppo import PPOSettings, ppo
from posttrain.learners.q_learning import Hooks, QLearner, Settings, Transition
from posttrain.learners.questions import probable
from posttrain.learners.speaker import Question, Speaker
from posttrain.learners.world import Floats, State
from posttrain.learners.worlds.say_select import HEARS, SEES, SaySelect
from posttrain.seeds import seed_for

INSTRUCTION = "Your partner says a number. Select the same number as your partner says."
FAST = PPOSettings(rate=2.0)
Convention = Mapping[State, int]  # the action of each state


def instructed(world: SaySelect, speaker: Speaker, instruction: str, *, least: float = 0.01) -> dict[State, Floats]:
    """The prior of the player who hears, for each number that may be said; even where the speaker gives none."""
    states = [(HEARS, number) for number in range(len(world.actions))]
    questions = [
        Question(f"{instruction}\n{world.describe(state)}\nWhich one?", world.actions, world.actions[state[1]])
        for state in states
    ]
    said = speaker.probabilities(questions)
    return {s: probable(p, len(world.actions), least) for s, p in zip(states, said, strict=True)}


def preferring(world: SaySelect, prior: Mapping[State, Floats], strength: float) -> Hooks:
    """Hooks of Q-learning that choose by Q + λ log p where there is a prior."""
    added = {state: (strength * np.log(p)).tolist() for state, p in prior.items()}
    none = [0.0] * len(world.actions)
    return Hooks(preference=lambda state: added.get(state, none))


def together_q(world: SaySelect, seed: int, settings: Settings, hooks: Hooks) -> dict[State, list[float]]:
    """Let two players learn side by side, each from the reward of the pair; return the tables of both.

    Neither bootstraps from what the other knows: who hears does not know what pays.
    """
    learner = QLearner(world, seed, settings, hooks)
    for episode in range(settings.episodes):
        seen = world.reset(seed_for(seed, "episode", episode))
        told = world.step(said := learner.choose(seen)).state
        after = world.step(selected := learner.choose(told))
        for time, (state, action) in enumerate([(seen, said), (told, selected)]):
            learner.learn(Transition(state, action, after.reward, after.state, True, episode, time))
    return learner.learned.q


def convention(world: SaySelect, values: Mapping[State, Sequence[float]], hooks: Hooks | None = None) -> Convention:
    """What players do in each state: the first of the best actions, by values and by what their hooks prefer."""
    none = [0.0] * len(world.actions)
    prefer = (hooks and hooks.preference) or (lambda state: none)  # noqa: ARG005
    states = [(does, number) for does in (SEES, HEARS) for number in range(len(world.actions))]
    return {s: int(np.argmax(np.array(values.get(s, none)) + np.array(prefer(s)))) for s in states}


def players(
    world: SaySelect,
    learner: str,
    seeds: Sequence[int],
    settings: Settings,
    prior: Mapping[State, Floats],
    strength: float,
    batches: int = FAST.batches,
) -> list[Convention]:
    """Players of several seeds, by Q-learning (`q`) or PPO (`ppo`)."""
    if learner == "ppo":
        actors = [ppo(world, seed, replace(FAST, batches=batches), prior=prior, strength=strength) for seed in seeds]
        return [convention(world, {s: x.tolist() for s, x in actor.logits.items()}) for actor in actors]
    hooks = preferring(world, prior, strength)
    return [convention(world, together_q(world, seed, settings, hooks), hooks) for seed in seeds]


def together(who_sees: Convention, who_hears: Convention) -> float:
    """The mean reward of two players over all numbers that may pay."""
    numbers = range(len(who_sees) // 2)
    return fmean(who_hears[HEARS, who_sees[SEES, n]] == n for n in numbers)


def with_strangers(players: Sequence[Convention]) -> list[float]:
    """The mean reward of each player with the others, in both parts."""
    pairs = {(i, j): together(players[i], players[j]) for i, j in permutations(range(len(players)), 2)}
    return [fmean(reward for (i, j), reward in pairs.items() if player in (i, j)) for player in range(len(players))]
