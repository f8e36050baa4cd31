"""Improving Reward Models with Synthetic Critiques (Ye et al., 2024).

A critic that sees neither the label nor the other answer writes a critique of each answer, and the reward model reads
it behind the answer. With empty critiques it is reward/bradley_terry.

    L = -log σ(r(x, y_w, c_w) - r(x, y_l, c_l)),    c ~ critic(.|x, y)

What the reward model scores later needs a critique too: the reward `criticised`.
"""

from __future__ import annotations

from dataclasses import replace

from posttrain.data.dataset import Dataset
from posttrain.judges.critiques import REQUEST, with_critique
from posttrain.judges.options import filled
from posttrain.procedures.judging import user
from posttrain.records import Pair
from posttrain.selection.answers import dataset
from posttrain.training.session import NO_OPTIONS, Options, Session
from posttrain.turns import answer_text, last_user_message


def synthetic_critiques(
    session: Session, pairs: Dataset, *, critic: str = "critic", request: str = REQUEST, reward: Options = NO_OPTIONS
) -> dict[str, float]:
    """A critique of each answer of each pair -> reward model on answers with critiques.

    Settings:
        critic: name of the model that criticises; any of `models`, or policy.
        request: request for a critique; any text, where {prompt} and {answer} are filled in.
        reward: options of the stage of the reward model: any keys of `train`, and `settings` of its method.
    """
    labelled = [p for p in pairs if isinstance(p, Pair)]
    sides = [(p, answer_text(y)) for p in labelled for y in (p.chosen, p.rejected)]
    asked = [user(filled(request, prompt=last_user_message(p.prompt), answer=y)) for p, y in sides]
    said = session.ask("critiques", critic, asked)
    texts = [with_critique(y, c) for (_, y), (c,) in zip(sides, said, strict=True)]
    seen = [replace(p, chosen=a, rejected=b) for p, a, b in zip(labelled, texts[::2], texts[1::2], strict=True)]
    session.copy("policy", "reward")
    return session.train("reward/bradley_terry", dataset(seen, "pairs with critiques"), rewards=(), **reward)
