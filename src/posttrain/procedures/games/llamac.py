"""Controlling Large Language Model-based Agents for Large-Scale Decision-Making: An Actor-Critic Approach
(Zhang et al., 2023).

LLaMAC directs many agents with three critics and few messages. A bold and a careful critic propose a joint plan, an
assessor makes one plan of both, the rewards of the run file check it, and every agent accepts its part or says why not.
What is refused goes back to the critics, for a bounded number of rounds.

    plan = assessor(bold(x, f), careful(x, f)),    f ← f + the check's and the agents' objections, until f stays empty

A plan that fails the check is not shown to the agents. The policy then learns the plans that were carried out, where
the paper trains nothing. `artefacts/llamac.json` counts messages and words, and the messages that a debate of all
agents with all others would have taken in as many rounds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from posttrain.data.dataset import Dataset
from posttrain.records import Demonstration, Episode, Prompt
from posttrain.selection.answers import dataset
from posttrain.selection.prompts import asking, prompts_of
from posttrain.training.session import NO_OPTIONS, Options, Session

BROKEN, UNKNOWN = "The plan breaks a constraint.", "Nobody could check the plan."


def llamac(
    session: Session,
    prompts: Dataset,
    *,
    agents: Sequence[str],
    rounds: int = 3,
    critics: tuple[str, str] = ("policy", "policy"),
    assessor: str = "policy",
    actor: str = "policy",
    bold: str = "{objections}\nPropose a plan for all agents that tries something new.",
    careful: str = "{objections}\nPropose a plan for all agents that is sure to work.",
    assess: str = "{objections}\nPlan 1: {bold}\nPlan 2: {careful}\nWrite one plan that respects all constraints.",
    accept: str = "\nPlan: {plan}\nAgent {agent}, can you do your part? Say yes, or why not.",
    accepted: str = r"(?i)\s*yes",
    valid: float = 1.0,
    sft: Options = NO_OPTIONS,
) -> dict[str, float]:
    """Rounds of: two proposals -> one plan -> check -> objections of the agents; then SFT on what was carried out.

    Settings:
        agents: names of the agents; at least 1.
        rounds: number of rounds; at least 1, where 1 is a planner without feedback.
        critics: names of the two roles that propose, the bold one first; policy, or any other of `models`.
        assessor: name of the role that makes one plan of two; policy, or any other of `models`.
        actor: name of the role that speaks for the agents; policy, or any other of `models`.
        bold: request to the bold critic at the end of the task; any text with {objections} in it.
        careful: request to the careful critic at the end of the task; any text with {objections} in it.
        assess: request to the assessor; any text with {bold}, {careful} and {objections} in it.
        accept: question to an agent; any text with {plan} and {agent} in it.
        accepted: regular expression for how a reply begins that accepts; any.
        valid: reward from which a plan passes the check; any number, 1 for rewards of 0 and 1.
        sft: options of the SFT stage: any keys of `train`, and `settings` of its method.
    """
    waiting = [replace(p, columns={**p.columns, "objections": ""}) for p in prompts_of(prompts)]
    done: list[Prompt] = []
    counts = {"messages": 0, "words": 0, "debate": 0}
    for n in range(1, rounds + 1):
        counts["debate"] += len(waiting) * len(agents) * (len(agents) - 1)
        for critic, name, request in zip(critics, ("bold", "careful"), (bold, careful), strict=True):
            waiting = told(session, f"round-{n}-{name}", critic, waiting, request, name, counts)
        waiting = told(session, f"round-{n}-plan", assessor, waiting, assess, "plan", counts)
        checked = session.score_again(f"round-{n}-check", [answered(p) for p in waiting])
        passed = [p for p, e in zip(waiting, checked, strict=True) if e.reward is not None and e.reward >= valid]
        refused = objections(session, f"round-{n}-replies", actor, passed, agents, (accept, accepted), counts)
        done += [p for p in passed if not refused[p.id]]
        over = {p.id for p in done}
        failed = {p.id: BROKEN if e.reward is not None else UNKNOWN for p, e in zip(waiting, checked, strict=True)}
        waiting = [with_objections(p, (failed | refused)[p.id]) for p in waiting if p.id not in over]
        if not waiting:
            break
    found = {**counts, "open": len(waiting)}
    session.artefact("llamac", found)
    carried_out = [Demonstration(p.id, p.prompt, p.columns["plan"], where=p.where) for p in done]
    return {**session.train("imitation/sft", dataset(carried_out, "plans"), rewards=(), **sft), **found}


def told(
    session: Session,
    name: str,
    role: str,
    tasks: Sequence[Prompt],
    request: str,
    column: str,
    counts: dict[str, int],
) -> list[Prompt]:
    """Return the tasks with a role's reply to a request as a column, and count it."""
    replies = [text for (text,) in session.ask(name, role, asking(tasks, request))]
    count(replies, counts)
    return [replace(p, columns={**p.columns, column: text}) for p, text in zip(tasks, replies, strict=True)]


def objections(
    session: Session,
    name: str,
    role: str,
    tasks: Sequence[Prompt],
    agents: Sequence[str],
    texts: tuple[str, str],
    counts: dict[str, int],
) -> dict[int, str]:
    """Return by task what the agents that do not accept its plan say, a line each; an empty text where all accept."""
    accept, accepted = texts
    asked = [replace(p, columns={**p.columns, "agent": agent}) for p in tasks for agent in agents]
    replies = [text for (text,) in session.ask(name, role, asking(asked, accept))] if asked else []
    count(replies, counts)
    lines: dict[int, list[str]] = {p.id: [] for p in tasks}
    for p, text in zip(asked, replies, strict=True):
        if not re.match(accepted, text):
            lines[p.id].append(f"{p.columns['agent']}: {text}")
    return {task: "\n".join(said) for task, said in lines.items()}


def with_objections(task: Prompt, text: str) -> Prompt:
    """Return a task with one more objection to the plans so far."""
    before: Mapping[str, str] = task.columns
    return replace(task, columns={**before, "objections": f"{before['objections']}\nPlan: {before['plan']}\n{text}"})


def answered(task: Prompt) -> Episode:
    """Return a plan as rewards read it: an answer that nobody sampled."""
    return Episode.of_answer(task, 0, 0, (), (), (), ended=True, text=task.columns["plan"])


def count(replies: Iterable[str], counts: dict[str, int]) -> None:
    """Add replies to the numbers of messages and words."""
    for text in replies:
        counts["messages"] += 1
        counts["words"] += len(text.split())
