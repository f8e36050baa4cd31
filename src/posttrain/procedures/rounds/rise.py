"""Trust, But Verify: A Self-Verification Approach to Reinforcement Learning with Verifiable Rewards (Liu et al., 2025).

RISE: the policy learns to solve problems and to verify its own solutions, in one batch and from one verifier. A request
to verify shows the policy a solution of its own; the right reply is what the verifier says of it.

    B_t = {x} ∪ {(x, y): y ~ π_{t-1}(·|x)},    R(x, y) = verifier,    R((x, y), v) = [v = verifier(x, y)]

The solutions are those of the beginning of a round; in its steps problems and requests are answered anew. The paper
makes a round of every step: `then: {steps: 1}`.
"""

from __future__ import annotations

from posttrain.data.dataset import Dataset
from posttrain.selection.answers import dataset, scored
from posttrain.selection.prompts import part_of, prompts_of
from posttrain.selection.verifications import requests
from posttrain.training.session import NO_OPTIONS, Options, Session

REQUEST = (
    "Below are a problem and a solution.\nProblem: {question}\nSolution: {answer}\nIs the solution right? Reply with 1 "
    "if it is and with 0 if it is not."
)


def rise(
    session: Session,
    prompts: Dataset,
    *,
    rounds: int = 100,
    prompts_per_round: int | None = 64,
    verified: int = 1,
    request: str = REQUEST,
    column: str = "answer",
    threshold: float = 0.5,
    method: str = "online/ppo",
    then: Options = NO_OPTIONS,
) -> dict[str, float]:
    """Rounds of: solve problems -> ask to verify some of the solutions -> train on the problems and these requests.

    Settings:
        rounds: number of rounds; at least 1.
        prompts_per_round: prompts of a round, taken in turn; at least 1, null takes all of them in every round.
        verified: solutions to each problem that the policy is asked to verify; 0 (plain RL on the problems) or more.
        request: request to verify a solution; any text, where {question} and {answer} are filled in.
        column: name of the column that the rewards of the run compare with; requests have 1 or 0 in it.
        threshold: reward that a solution must exceed to be right; any number, 0.5 for rewards of 0 and 1.
        method: name of the method of a round; any that samples answers, such as online/grpo.
        then: options of the stage of every round: any keys of `train`, and `settings` of its method.
    """
    metrics: dict[str, float] = {}
    for n in range(1, rounds + 1):
        asked = prompts_of(part_of(prompts, n - 1, prompts_per_round))
        solved = session.collect(f"round-{n}", asked, session.sampling(samples=verified)) if verified else []
        checks = requests(scored(solved), verified, request, column, threshold)
        right = sum(check.columns[column] == "1" for check in checks)
        session.note(f"round {n}: {len(checks)} solutions to verify, {right} of them right")
        metrics = session.train(method, dataset([*asked, *checks], f"round {n}"), **then)
    return metrics
