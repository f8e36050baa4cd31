"""RLPrompt: Optimizing Discrete Text Prompts with Reinforcement Learning (Deng et al., 2022).

The policy writes prompts of a few tokens, another model answers examples under them, and the policy is trained by soft
Q-learning on what they earn (online/rlprompt).

    labels: R = mean of 200 g where g > 0, else 180 g;  g = p(right label) - max p(other)
    answers: R = mean over the examples of the best answers, in groups drawn again

The prompts of a step are compared on the same examples. Of the prompts that the trained policy writes, the one with the
highest score on all examples is the artefact `prompt.txt`; it is `start` where no answer could be scored. Differs from
the paper: a prompt stands before the input.
"""

from __future__ import annotations

from statistics import fmean

from posttrain.core.method import Sampling
from posttrain.data.dataset import Dataset
from posttrain.procedures.prompting import Task, finished
from posttrain.records import Prompt
from posttrain.selection.answers import dataset
from posttrain.training.session import NO_OPTIONS, Options, Session


def rlprompt(
    session: Session,
    prompts: Dataset,
    held_out: Dataset | None = None,
    *,
    request: str = "Prompt:",
    examples: int = 16,
    draws: int = 8,
    solver: str = "solver",
    labels: tuple[str, ...] = (),
    samples: int = 1,
    groups: int = 0,
    answer_tokens: int = 64,
    start: str = "",
    method: str = "online/rlprompt",
    then: Options = NO_OPTIONS,
) -> dict[str, float]:
    """Train the policy to write prompts -> draw some -> keep the best on all examples.

    The length of the prompts is the run file's `sampling.max_tokens`, 5 in the paper, and `sampling.top_k` is 256.

    Settings:
        request: what the policy reads before it writes; any text.
        examples: examples that the prompts of a step are compared on; at least 1, 16 in the paper, 1 for transfer.
        draws: prompts that are drawn from the trained policy; at least 1.
        solver: name of the model that the prompts are for; any of `models`.
        labels: answers that the solver chooses among; any texts, such as [" yes", " no"], none lets it answer freely.
        samples: answers to each example, scored by the rewards; at least 1, 32 in the paper.
        groups: groups of these answers of which the best counts; 0 (their mean) or more, 4 in the paper.
        answer_tokens: most tokens of an answer of the solver; at least 1.
        start: prompt that the artefact is compared with; any text, empty is none.
        method: name of the method; any that trains on sampled answers, such as online/reinforce.
        then: options of the stage: any keys of `train`, and `settings` of its method.
    """
    task = Task.of(session, prompts, solver=solver, labels=labels, samples=samples, max_tokens=answer_tokens)
    ids = [p.id for p in task.records]
    parts = [ids[i : i + examples] for i in range(0, len(ids), examples)]
    asked = [Prompt(i, request, {"examples": part}, f"part {i + 1} of the examples") for i, part in enumerate(parts)]
    reward = session.reward(task.earned, groups=groups)
    metrics = session.train(method, dataset(asked, "requests"), rewards=(reward,), **then)
    written = session.collect("prompts", asked[:1], Sampling(samples=draws), rewards=())
    found = list(dict.fromkeys(e.text.strip() for e in written))
    scores = {text: task.scores(f"prompt-{i}", text) for i, text in enumerate(found)}
    worth = {text: fmean(s.values()) for text, s in scores.items() if s}
    best = max(worth, key=worth.__getitem__, default=start)
    return metrics | finished(session, task.on(held_out), start, best)
