"""RLCD: Reinforcement Learning from Contrastive Distillation for Language Model Alignment (Yang et al., 2023).

One model answers under two prompts, of which one encourages what is wanted and the other discourages it. The first
answer is preferred: no one labels anything. A reward model learns these pairs without the prompts' affixes, and PPO
pursues it.

    y+ ~ π(.|x p+)    y- ~ π(.|x p-)        L = -log σ(r(x, y+) - r(x, y-))        PPO on r - β KL

The affixes come in pairs, one drawn for each prompt. Where both are the same the labels are noise.
"""

from __future__ import annotations

from dataclasses import replace

from posttrain.data.dataset import Dataset
from posttrain.seeds import seed_for
from posttrain.selection.answers import dataset, with_prompts
from posttrain.selection.pairs import pairs
from posttrain.selection.prompts import asking, prompts_of
from posttrain.training.session import NO_OPTIONS, Options, Session


def rlcd(
    session: Session,
    prompts: Dataset,
    *,
    encourage: tuple[str, ...] = ("\n(Give a helpful, honest and harmless answer.)",),
    discourage: tuple[str, ...] = ("\n(Give a useless, dishonest and harmful answer.)",),
    method: str = "online/ppo",
    reward: Options = NO_OPTIONS,
    then: Options = NO_OPTIONS,
) -> dict[str, float]:
    """An answer under each of two opposite prompts -> reward model on the pairs -> RL.

    Settings:
        encourage: texts at the end of the prompt for the preferred answer; any.
        discourage: any texts for the rejected answer, each the opposite of that in the same place of `encourage`.
        method: name of the last method; any that reads a reward model, such as online/reinforce.
        reward: options of the stage of the reward model: any keys of `train`, and `settings` of its method.
        then: options of the last stage: any keys of `train`, and `settings` of its method.
    """
    asked = prompts_of(prompts)
    place = {p.id: seed_for(session.seed("affix"), p.id) % len(encourage) for p in asked}
    sides = []
    for name, affixes, good in (("encouraged", encourage, 1.0), ("discouraged", discourage, 0.0)):
        turned = [replace(p, columns={**p.columns, "affix": affixes[place[p.id]]}) for p in asked]
        answers = session.collect(name, asking(turned, "{affix}"), session.sampling(), rewards=())
        sides += [replace(r, reward=good) for r in with_prompts(answers, asked)]
    contrasts = dataset((p for p in pairs(sides) if p.chosen != p.rejected), "contrasts")
    session.copy("policy", "reference")
    session.copy("policy", "reward")
    session.train("reward/bradley_terry", contrasts, rewards=(), **reward)
    session.copy("reward", "critic")
    return session.train(method, prompts, rewards=(), **then)
