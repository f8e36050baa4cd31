"""InternLM2 Technical Report (Cai et al., 2024): COOL RLHF, conditional and online.

Rounds of PPO against a reward model that is mended as it is exploited. The slow path compares answers of the latest
policy and trains the reward model anew on all comparisons; the fast path looks for answers that the reward model
prefers and people do not, and shows it these.

    fast path:  y_w = argmax_k g(y_k),    y_l = argmax_k r(y_k),    where g(y_w) > g(y_l)

The rewards g of the run file stand for people. Conditions of domains are system prompts, a column `system` of the data;
the policy reads them too, where the paper's only condition the reward model.
"""

from __future__ import annotations

from collections.abc import Sequence

from posttrain.data.dataset import Dataset
from posttrain.formulas.losses.scores import row_score
from posttrain.records import Pair, Record
from posttrain.selection.answers import dataset
from posttrain.selection.hacks import exploited
from posttrain.selection.pairs import pairs as compared
from posttrain.selection.prompts import part_of
from posttrain.training.session import NO_OPTIONS, Options, Session


def cool(
    session: Session,
    prompts: Dataset,
    pairs: Dataset | None = None,
    *,
    rounds: int = 3,
    patches: int = 1,
    prompts_per_round: int | None = None,
    reward_method: str = "reward/cool",
    method: str = "online/ppo",
    reward: Options = NO_OPTIONS,
    fast: Options = NO_OPTIONS,
    then: Options = NO_OPTIONS,
) -> dict[str, float]:
    """Rounds of: comparisons -> reward model -> (RL -> patch of the reward model) several times.

    Settings:
        rounds: number of rounds of the slow path; at least 1, 3 in the paper.
        patches: number of stages of RL in a round, each followed by the fast path; at least 1.
        prompts_per_round: prompts whose answers are compared, taken in turn; at least 1, null takes all every time.
        reward_method: name of the method of the reward model; any that learns one score from pairs.
        method: name of the method of RL; any that reads a reward model.
        reward: options of every stage of the slow path: any keys of `train`, and `settings` of its method.
        fast: options of every stage of the fast path, likewise; few steps.
        then: options of every stage of RL: any keys of `train`, and `settings` of its method.
    """
    metrics: dict[str, float] = {}
    seen: list[Record] = list(pairs or ())
    session.copy("policy", "reference")
    for n in range(1, rounds + 1):
        asked = part_of(prompts, n - 1, prompts_per_round)
        seen += compared(session.collect(f"round-{n}", asked, session.sampling(samples=4)))
        session.copy("reference", "reward")
        session.train(reward_method, dataset(seen, f"comparisons of {n} rounds"), rewards=(), **reward)
        session.copy("reward", "critic")
        for k in range(1, patches + 1):
            metrics = session.train(method, prompts, rewards=(), **then)
            hacks = _hacks(session, f"round-{n}-fast-{k}", asked)
            session.note(f"round {n}: the reward model is exploited at {len(hacks)} of {len(asked)} prompts")
            if hacks:
                seen += hacks
                session.train(reward_method, dataset(hacks, f"patch {k} of round {n}"), rewards=(), **fast)
    return metrics


def _hacks(session: Session, name: str, prompts: Sequence[Record]) -> list[Pair]:
    answers = session.collect(name, prompts, session.sampling(samples=4))
    return exploited(answers, session.score_again(f"{name}-scores", answers, row_score))
