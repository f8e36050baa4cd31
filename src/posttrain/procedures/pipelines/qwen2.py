"""Qwen2 Technical Report (Yang et al., 2024), the alignment part.

Two stages of preferences behind SFT: offline DPO on pairs that exist, then online DPO, whose pairs are the policy's own
answers, the best and the worst by the rewards. In the second, every step of the optimiser is merged with what SFT had
changed (Lu et al., 2024), so that less of it is lost.

    τ = θ_sft - θ_base        θ ← θ + α F(τ) + (1-α) F(d),  d the step of AdamW

Each stage holds to the model that it begins with. The settings of the merging are ours, the report names none.
"""

from __future__ import annotations

from posttrain.data.dataset import Dataset
from posttrain.training.session import NO_OPTIONS, Options, Session


def qwen2(
    session: Session,
    demonstrations: Dataset,
    pairs: Dataset,
    prompts: Dataset,
    *,
    rule: str = "dare",
    weight: float = 1e-6,
    density: float = 0.01,
    offline: str = "preference/dpo",
    online: str = "online/online_dpo",
    sft: Options = NO_OPTIONS,
    first: Options = NO_OPTIONS,
    then: Options = NO_OPTIONS,
) -> dict[str, float]:
    """SFT -> offline DPO on the pairs -> online DPO whose steps are merged with what SFT had changed.

    Settings:
        rule: name of the rule of merging; dare (random entries) or ties (the largest that agree in sign).
        weight: α, share of SFT's change in a step; 0 (plain AdamW) to 1, 1e-7 to 1e-5 is usual.
        density: share of the entries that is kept; above 0 up to 1, 5e-4 to 0.5 is usual.
        offline: name of the first method; any that reads pairs, such as preference/simpo.
        online: name of the second method; any that reads prompts and learns from rewards.
        sft: options of the SFT stage: any keys of `train`, and `settings` of its method.
        first: options of the offline stage: any keys of `train`, and `settings` of its method.
        then: options of the online stage: any keys of `train`, and `settings` of its method.
    """
    merging = {"rule": rule, "weight": weight, "density": density}
    settings = {**{f"step_merging.{key}": x for key, x in merging.items()}, **then.get("settings", {})}
    session.copy("policy", "base")
    session.train("imitation/sft", demonstrations, rewards=(), **sft)
    for role in ("sft", "reference"):
        session.copy("policy", role)
    session.train(offline, pairs, rewards=(), **first)
    session.copy("policy", "reference")
    return session.train(online, prompts, **{**then, "settings": settings})
