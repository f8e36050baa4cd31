"""Episodes of a policy over lists of actions: in every state it takes one of the texts that the environment allows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from posttrain.catalogue import index as catalogue
from posttrain.catalogue.configure import configure, settings
from posttrain.environments.environment import Action, Outcome
from posttrain.environments.hosts import Answer, Hosts
from posttrain.errors import ConfigError, RewardError
from posttrain.records import Message, Prompt, Record
from posttrain.rewards.workers.call import Fault
from posttrain.roles.choices import Normalisation
from posttrain.training.run import Run

CHANCES = 2**56  # how many seeds there are


@dataclass
class Walk:
    """An episode: what was said so far, the actions that are possible now, and the decisions that were taken."""

    prompt: Prompt
    names: tuple[Any, ...]  # of its seeds
    conversation: list[Message] = field(default_factory=list)
    choices: tuple[str, ...] = ()
    decisions: list[dict[str, Any]] = field(default_factory=list)
    over: bool = False
    fault: Fault | None = None

    def answered(self, answer: Answer) -> None:
        """Go on with what the environment said."""
        if isinstance(answer, Fault):
            self.over, self.fault = True, answer
            return
        if isinstance(answer, Outcome):
            self.decisions[-1]["reward"] = answer.reward or 0.0
            self.over = answer.done
        self.conversation += answer.messages
        self.choices = answer.choices
        if not self.over and not self.choices:
            raise ConfigError(
                "the environment lists no actions to choose from; let its method `choices` return them, or train with "
                "a method that writes its answers, such as online/grpo"
            )

    def take(self, run: Run, place: int) -> Action:
        """Take an action, and note the decision."""
        moment, text = len(self.decisions), self.choices[place]
        self.decisions.append(
            {
                "id": run.seed("decision", *self.names, moment),
                "prompt": list(self.conversation),
                "choices": list(self.choices),
                "chosen": place,
                "episode": run.seed("act", *self.names),
                "moment": moment,
            }
        )
        self.conversation.append({"role": "assistant", "content": text})
        return Action(text, content=text)


def act(
    run: Run, name: str, prompts: Sequence[Record], *, samples: int, by: Normalisation, greedy: bool
) -> list[dict[str, Any]]:
    """Play `samples` episodes for each prompt; return the decisions of those without a fault, as plain data.

    An action is taken with the probability that the policy gives it, by the sum of the log-probs of its tokens or their
    mean over tokens or words; the likeliest if `greedy`. Episodes end with `environment.max_turns`. Raises RewardError
    where the environment fails in too many of them.
    """
    hosts, section = run.hosts, run.file.environment
    if hosts is None or section is None:
        raise ConfigError("there is no environment to act in; add environment: {path: gridworld_text}")
    if run.begin:
        raise ConfigError("sampling.begin: the policy takes actions from a list and writes nothing; leave it out")
    walks = [Walk(cast(Prompt, p), (name, p.id, k)) for p in prompts for k in range(samples)]
    for place, walk in enumerate(walks):
        hosts.begin(place, walk.prompt, run.seed("act", *walk.names))
    try:
        for _ in range(section.max_turns):
            _hear(hosts, walks)
            if all(w.over for w in walks):
                break
            _step(run, hosts, walks, by, greedy)
        _hear(hosts, walks)
    finally:
        hosts.abandon()
    failed = [w.fault for w in walks if w.fault]
    if len(failed) > run.file.scoring.max_error_rate * len(walks):
        raise RewardError(f"{len(failed)} of {len(walks)} episodes failed. The first failure: {failed[0].message}")
    return [decision for w in walks if not w.fault for decision in w.decisions]


def normalisation(method: str, changes: Mapping[str, Any], base: Path | None) -> Normalisation:
    """Return what a method with these settings divides the score of an action by.

    `base`: folder that a method's own file is relative to. ConfigError if it scores no actions, or in several ways.
    """
    made = configure(catalogue.load(method, base), changes)
    found = {value for _, _, key, value in settings(made) if key == "normalise"}
    if len(found) != 1:
        raise ConfigError(
            f"{made.name} does not say in one way how actions are scored; choose online/glam or online/twosome, and "
            "set `normalise` for all of its parts"
        )
    return cast(Normalisation, found.pop())


def _hear(hosts: Hosts, walks: Sequence[Walk]) -> None:
    """Wait for what the environment says in every episode."""
    while answers := hosts.ready(block=True):
        for place, answer in answers:
            walks[place].answered(answer)


def _step(run: Run, hosts: Hosts, walks: Sequence[Walk], by: Normalisation, greedy: bool) -> None:
    """Take an action in every episode that goes on; all of them are weighed together."""
    live = [(place, w) for place, w in enumerate(walks) if not w.over]
    weighed = run.speaker("policy").choices([tuple(w.conversation) for _, w in live], [w.choices for _, w in live])
    for (place, walk), choices in zip(live, weighed, strict=True):
        shares = choices.probabilities(by)
        chance = run.seed("choice", *walk.names, len(walk.decisions)) / CHANCES
        chosen = shares.index(max(shares)) if greedy else _drawn(shares, chance)
        hosts.step(place, walk.take(run, chosen))


def _drawn(shares: Sequence[float], chance: float) -> int:
    """The first place at which the shares add up to more than the chance."""
    total = 0.0
    for place, share in enumerate(shares):
        total += share
        if chance < total:
            return place
    return len(shares) - 1
