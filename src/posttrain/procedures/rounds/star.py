"""STaR: Bootstrapping Reasoning With Reasoning (Zelikman et al., 2022).

Answer every question once and keep the reasoning of the right answers. Where the answer is wrong, ask again with the
right answer as a hint (rationalisation), and keep that reasoning if it arrives there. Fine-tune the model of the start
on both, without the hints; repeat.

    D_t = {(x, y): y ~ π_{t-1}(.|x), right} ∪ {(x, y): y ~ π_{t-1}(.|x, hint), right}        π_t = SFT(π_0, D_t)

Settings: `hint` is put after the question, with {answer} and other columns filled in; `steps` of the first round, a
factor `growth` more in each one after it; `threshold` that the reward of a right answer exceeds.
"""

from __future__ import annotations

from posttrain.data.dataset import Dataset
from posttrain.selection.answers import about, above, dataset, demonstrations
from posttrain.selection.prompts import asking, part_of, prompts_of
from posttrain.training.session import NONE, Options, Session


def star(
    session: Session,
    prompts: Dataset,
    *,
    rounds: int = 3,
    prompts_per_round: int | None = None,
    hint: str = " (The answer is {answer}.)",
    steps: int = 40,
    growth: float = 1.2,
    threshold: float = 0.5,
    sft: Options = NONE,
) -> dict[str, float]:
    """Rounds of: answer greedily -> answer what failed with a hint -> SFT of the first model on what was right."""
    metrics: dict[str, float] = {}
    session.copy("policy", "base")
    how = session.how(samples=1, temperature=0.0)
    for n in range(1, rounds + 1):
        asked = prompts_of(part_of(prompts, n - 1, prompts_per_round))
        right = above(session.collect(f"round-{n}", asked, how), threshold)
        known = {r.prompt.id for r in right}
        if failed := [p for p in asked if p.id not in known]:
            rationalised = session.collect(f"round-{n}-with-hints", asking(failed, hint), how)
            right += about(above(rationalised, threshold), asked)
        learnt = dataset(demonstrations(right), f"round {n}")
        session.copy("base", "policy")
        grown = {**sft, "steps": round(steps * growth ** (n - 1))}
        metrics = session.train("imitation/sft", learnt, rewards=(), **grown)
    return metrics
