"""Retroformer: Retrospective Large Language Agents with Policy Gradient Optimization (Yao et al., 2023).

A frozen actor tries each task several times. After a failure the policy says what went wrong, and the actor reads that
in its next trial. The reward of a reflection is what it changes in the return.

    r(y_i) = G_{i+1} - G_i,    so that along the trials of a task Σ_i r(y_i) = G_last - G_first

Three stages: SFT on the reflections that helped, a reward model that tells whether r exceeds `threshold` (0.25 in the
authors' code), PPO on the questions for reflections. `reward: null` learns from r itself, by REINFORCE, and needs no
reward model. Without any training it is Reflexion. A trial is scored by the rewards of the run file; a task that is
solved, or whose trial was not scored, is not tried again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from posttrain.core.method import SEQUENCE_SUM, Method, Stream, Term
from posttrain.data.dataset import Dataset
from posttrain.formulas.credit.advantages import at_every_token
from posttrain.formulas.losses.policy_gradient import reinforce
from posttrain.records import Demonstration, Episode, Prompt, Rating, Record
from posttrain.seeds import seed_for
from posttrain.selection.answers import above, answer, dataset, demonstrations, identity, reward_of, scored
from posttrain.selection.prompts import asking, part_of, prompts_of
from posttrain.training.session import NO_OPTIONS, Options, Session

DIFFERENCE = Method(
    name="difference",
    streams=Stream("demonstrations"),
    derived={"advantage": at_every_token},
    loss=Term(reinforce, reduce=SEQUENCE_SUM),
)


def retroformer(
    session: Session,
    prompts: Dataset,
    *,
    rounds: int = 1,
    prompts_per_round: int | None = None,
    trials: int = 4,
    samples: int = 2,
    memory: int = 3,
    solved: float = 1.0,
    threshold: float = 0.25,
    actor: str = "policy",
    reflect: str = "\nAttempt: {attempt}\nIt failed. What should be done otherwise?",
    retry: str = "\nAdvice: {advice}",
    method: str = "online/ppo",
    sft: Options | None = NO_OPTIONS,
    reward: Options | None = NO_OPTIONS,
    then: Options = NO_OPTIONS,
) -> dict[str, float]:
    """Rounds of: trials with reflections -> SFT on those that helped -> a reward model of them -> `method` against it.

    Settings:
        rounds: number of rounds; at least 1.
        prompts_per_round: tasks of a round, taken in turn; at least 1, null takes all of them in every round.
        trials: trials of each task, the first one without advice; at least 2, 4 or 5 in the paper.
        samples: reflections on a trial; at least 1, the next trial goes on from the first of them.
        memory: reflections that the actor reads, the latest; at least 1.
        solved: return from which a task is not tried again; any number, the largest return of a task.
        threshold: change of the return above which a reflection is good for the reward model; any number, 0.25 usual.
        actor: name of the role that acts, as it is at first; policy, or any other of `models`.
        reflect: request for a reflection at the end of the task; any text with {attempt} in it.
        retry: advice at the end of the task; any text with {advice} in it.
        method: name of the method that pursues the reward model; any of the family online.
        sft: options of the SFT stage; null has none.
        reward: options of the stage of the reward model; null has none and learns from the returns themselves.
        then: options of the last stage: any keys of `train`, and `settings` of its method.
    """
    metrics: dict[str, float] = {}
    session.copy(actor, "frozen")
    for n in range(1, rounds + 1):
        tasks = prompts_of(part_of(prompts, n - 1, prompts_per_round))
        told = trial_and_reflection(session, f"round-{n}", tasks, trials, samples, memory, solved, reflect, retry)
        if sft is not None:
            helped = demonstrations(above(told, 0.0))
            metrics = session.train("imitation/sft", dataset(helped, f"helpful {n}"), rewards=(), **sft)
        if reward is None:
            metrics = session.train(DIFFERENCE, dataset(rewarded(told), f"told {n}"), rewards=(), **then)
            continue
        session.copy("policy", "reference")
        session.copy("policy", "reward")
        session.train("reward/outcome", dataset(rated(told, threshold), f"rated {n}"), rewards=(), **reward)
        asked = dataset((e.prompt for e in told), f"failures {n}")
        metrics = session.train(method, asked, rewards=(), **then)
    return metrics


def trial_and_reflection(
    session: Session, name: str, tasks: Sequence[Prompt], trials: int, samples: int, memory: int, solved: float,
    reflect: str, retry: str,
) -> list[Episode]:  # fmt: skip
    """Return the reflections on all trials that failed, with the change of the return as reward; None if not scored."""
    acting = replace(session.sampling(mix=(("frozen", 1.0),)), samples=1)
    told: list[Episode] = []
    acted = {e.prompt.id: e for e in session.collect(f"{name}-trial-1", tasks, acting)}
    for i in range(1, trials):
        failed = {t.id: t for t in tasks if (x := acted[t.id].reward) is not None and x < solved}
        if not failed:
            break
        shown = [replace(t, columns={**t.columns, "attempt": acted[t.id].text}) for t in failed.values()]
        thinking = session.sampling(samples=samples)
        said = session.collect(f"{name}-reflections-{i}", asking(shown, reflect), thinking, rewards=())
        again = [advised(failed[e.prompt.id], acted[e.prompt.id], e, memory) for e in said]
        done = {e.prompt.id: e for e in session.collect(f"{name}-trial-{i + 1}", asking(again, retry), acting)}
        told += [changed(e, acted[e.prompt.id], done[p.id]) for e, p in zip(said, again, strict=True)]
        acted |= {e.prompt.id: done[p.id] for e, p in zip(said, again, strict=True) if e.sample == 0}
    return told


def advised(task: Prompt, before: Episode, reflection: Episode, memory: int) -> Prompt:
    """Return the task with the column `advice`: the latest reflections on its trials, this one the last."""
    read = (*before.prompt.columns.get("read", ()), reflection.text)[-memory:]
    columns = {**task.columns, "read": read, "advice": "\n".join(read)}
    return replace(task, id=seed_for("retry", task.id, reflection.sample), columns=columns)


def changed(reflection: Episode, before: Episode, after: Episode) -> Episode:
    """Return a reflection with the return of the trial after it less that of the one before it."""
    gain = None if after.reward is None else after.reward - reward_of(before)
    return replace(reflection, reward=gain)


def rewarded(told: Iterable[Episode]) -> list[Demonstration]:
    """Return the reflections with the change of the return as the column `reward`."""
    kept = scored(told)
    return [replace(d, columns={"reward": reward_of(e)}) for d, e in zip(demonstrations(kept), kept, strict=True)]


def rated(told: Iterable[Episode], threshold: float) -> list[Record]:
    """Return the reflections, good where they changed the return by more than the threshold."""
    return [
        Rating(identity(e), e.prompt.prompt, answer(e), reward_of(e) > threshold, where=e.prompt.where)
        for e in scored(told)
    ]
