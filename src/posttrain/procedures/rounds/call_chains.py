"""Improving Small-Scale Large Language Models Function Calling for Reasoning Tasks (Manduzio et al., 2024).

A model with tools works on tasks, step by step. Steps of chains that ended right are preferred to steps of chains that
did not, behind the same messages: a call in a wrong form, of a wrong tool, or with a wrong result. DPO on these pairs.

    y_w from a chain with r > accepted,  y_l from one without:    -log σ(β (log π(y_w)/π_0(y_w) - log π(y_l)/π_0(y_l)))

The run file's `environment` executes the calls and rewards the chain. In the paper a large model writes the chains;
`teacher` names one here that has the policy's tokenizer, and by default the policy writes its own. With right chains
alone it is SFT on them (`rounds/raft`). Where `held_out` is given, the share of malformed calls in it is measured
before and after the training.
"""

from __future__ import annotations

from dataclasses import replace

from posttrain.data.dataset import Dataset
from posttrain.selection.answers import dataset
from posttrain.selection.chains import malformed, turn_pairs
from posttrain.selection.prompts import part_of
from posttrain.training.session import NO_OPTIONS, Options, Session


def call_chains(
    session: Session,
    prompts: Dataset,
    held_out: Dataset | None = None,
    *,
    rounds: int = 1,
    prompts_per_round: int | None = None,
    samples: int = 8,
    accepted: float = 0.0,
    teacher: str = "policy",
    method: str = "preference/dpo",
    dpo: Options = NO_OPTIONS,
) -> dict[str, float]:
    """Rounds of: play chains of calls -> pairs of their steps -> DPO.

    Settings:
        rounds: number of rounds; at least 1, the paper's.
        prompts_per_round: tasks of a round, taken in turn; at least 1, null takes all of them in every round.
        samples: chains for each task; at least 2.
        accepted: reward above which a chain ended right; any number, 0 suits rewards of 0 and 1.
        teacher: name of the role that writes the chains; policy, or any other of `models` with its tokenizer.
        method: name of the method that trains the policy; any that reads pairs, such as preference/ipo.
        dpo: options of every stage of `method`: any keys of `train`, and `settings` of its method.
    """
    metrics: dict[str, float] = {}
    held = held_out or ()
    once = replace(session.sampling(), samples=1)
    before = malformed(session.collect("held-out-before", held, once)) if held else {}
    writing = session.sampling(samples=samples, mix=((teacher, 1.0),))
    for n in range(1, rounds + 1):
        chains = session.collect(f"chains-{n}", part_of(prompts, n - 1, prompts_per_round), writing)
        metrics = session.train(method, dataset(turn_pairs(chains, accepted), f"steps {n}"), rewards=(), **dpo)
    after = malformed(session.collect("held-out-after", held, once)) if held else {}
    return {
        **metrics,
        **{f"{name}/before": value for name, value in before.items()},
        **{f"{name}/after": value for name, value in after.items()},
    }
