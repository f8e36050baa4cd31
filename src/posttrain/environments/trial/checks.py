"""Checks of an environment: does it play, the same way twice, within its time, and whatever the policy writes?

Episodes are played in processes that can be killed, as in a run.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from posttrain.environments.environment import Action, Environment, Outcome
from posttrain.environments.hosts import Hosts
from posttrain.environments.tools.schema import name_of
from posttrain.environments.trial.actions import hostile, ordinary
from posttrain.environments.wire import Opening, plain_outcome
from posttrain.records import Prompt
from posttrain.rewards.workers.call import Fault
from posttrain.seeds import seed_for

TURNS = 8  # of an ordinary episode


@dataclass(frozen=True)
class Check:
    """What was looked at, whether it holds (None: it could not be tried), what was found, and what helps."""

    name: str
    holds: bool | None
    found: str
    remedy: str = ""


@dataclass
class Played:
    """An episode: how it began, what it answered, and what ended it before its time."""

    opening: Opening | None = None
    outcomes: list[Outcome] = field(default_factory=list)
    fault: Fault | None = None


Play = Callable[[Prompt, int, Sequence[Action]], Played]


def checks(made: type[Environment], prompts: Sequence[Prompt], play: Play, seed: int = 0) -> list[Check]:
    """Play each prompt twice with ordinary actions, then with hostile ones. At least one prompt."""
    seeds = [seed_for("trial", seed, number) for number in range(len(prompts))]
    first = [play(prompt, s, ()) for prompt, s in zip(prompts, seeds, strict=True)]
    if fault := next((p.fault for p in first if p.fault), None):
        return [Check("begins", False, fault.message, "correct `reset`, `tools` or the row that it reads")]
    tools = [list(p.opening.tools) if p.opening else [] for p in first]
    played = [
        [play(prompt, s, ordinary(t, s, TURNS)) for _ in range(2)]
        for prompt, s, t in zip(prompts, seeds, tools, strict=True)
    ]
    attacked = [
        play(prompt, s, [action])
        for prompt, s, t in zip(prompts[:1], seeds, tools, strict=False)
        for action in hostile(t)
    ]
    return [
        Check("begins", True, f"{len(prompts)} prompts, {_named(tools)}"),
        _goes_on([p for twice in played for p in twice]),
        _repeats(made, played),
        _withstands(attacked),
        _rewards([p for twice in played for p in twice]),
    ]


def _named(tools: Sequence[Sequence[Mapping[str, object]]]) -> str:
    names = sorted({name_of(schema) for each in tools for schema in each})
    return f"tools {', '.join(names)}" if names else "no tools"


def _goes_on(played: Sequence[Played]) -> Check:
    """No exception, no nonsense, nothing that hangs."""
    if fault := next((p.fault for p in played if p.fault), None):
        return Check("plays", False, fault.message, REMEDIES.get(fault.kind, "correct `step`"))
    turns = sum(len(p.outcomes) for p in played)
    over = sum(bool(p.outcomes) and p.outcomes[-1].done for p in played)
    return Check("plays", True, f"{turns} turns of {len(played)} episodes, {over} of which came to their end")


REMEDIES = {
    "deadline": "answer faster, or raise environment.timeout",
    "result": "return Outcome(messages, reward, done), with messages of role and content",
    "died": "do not end the process; what may crash belongs into a process of its own",
}


def _repeats(made: type[Environment], played: Sequence[Sequence[Played]]) -> Check:
    name = "repeats"
    if not made.replays:
        return Check(name, None, "replays = False: its answers are kept in checkpoints")
    for one, other in played:
        for turn, (a, b) in enumerate(zip(_said(one), _said(other), strict=False)):
            if a != b:
                found = f"the same seed and actions gave another answer in turn {turn}: {a[:60]} then {b[:60]}"
                return Check(name, False, found, "draw from the seed of `reset` alone, or set replays = False")
        if len(_said(one)) != len(_said(other)):
            return Check(name, False, "one of two equal episodes was longer", "draw from the seed of `reset` alone")
    return Check(name, True, "equal seeds and actions gave equal answers")


def _said(played: Played) -> list[str]:
    opening = [json.dumps([list(map(dict, played.opening.messages))], sort_keys=True)] if played.opening else []
    plain = ({**plain_outcome(o), "info": None} for o in played.outcomes)
    return opening + [json.dumps(o, sort_keys=True) for o in plain]


def _withstands(attacked: Sequence[Played]) -> Check:
    faults = [p.fault for p in attacked if p.fault]
    if faults:
        found = f"{len(faults)} of {len(attacked)} hostile actions ended the episode: {faults[0].message}"
        remedy = "answer with a message, a reward or done=True; ToolEnvironment checks arguments by their schema"
        return Check("withstands", False, found, remedy)
    return Check("withstands", True, f"{len(attacked)} hostile actions were answered")


def _rewards(played: Sequence[Played]) -> Check:
    rewards = [o.reward for p in played for o in p.outcomes if o.reward is not None]
    if not rewards:
        return Check("rewards", None, "no turn had a reward: name one in the run file (rewards:), or play longer")
    return Check("rewards", True, f"{len(rewards)} turns had one, from {min(rewards):g} to {max(rewards):g}")


def played_by(hosts: Hosts) -> Play:
    """Return a function that plays an episode in the processes of `hosts`."""
    return partial(_play, hosts)


def _play(hosts: Hosts, prompt: Prompt, seed: int, actions: Sequence[Action]) -> Played:
    played = Played()
    hosts.begin(played_key := object(), prompt, seed)
    for action in (None, *actions):
        if action is not None:
            hosts.step(played_key, action)
        ((_, answer),) = hosts.ready(block=True)
        if isinstance(answer, Fault):
            played.fault = answer
            break
        if isinstance(answer, Opening):
            played.opening = answer
        else:
            played.outcomes.append(answer)
            if answer.done:
                break
    hosts.end(played_key)
    return played
