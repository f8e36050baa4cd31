"""Self-Generated Critiques Boost Reward Modeling for Language Models (Yu et al., 2024).

Critic-RM: the model criticises and grades both answers of labelled pairs. Critiques whose grades agree with the label
are kept, and one model learns to write them and to score answers with them in view.

    keep (c_w, c_l) with grade(c_w) > grade(c_l)        L = L_BT(r(x, y, c)) + λ L_LM(c | x, y)

Of several critiques the pair of highest and lowest grade is kept. The reward `criticised` writes critiques for what it
scores, and averages over them.
"""

from __future__ import annotations

from dataclasses import replace

from posttrain.data.dataset import Dataset
from posttrain.judges.critiques import PATTERN, REQUEST, stated, with_critique
from posttrain.judges.options import filled
from posttrain.procedures.judging import user
from posttrain.records import Demonstration, Pair
from posttrain.seeds import seed_for
from posttrain.selection.answers import dataset
from posttrain.training.session import NO_OPTIONS, Options, Session
from posttrain.turns import answer_text, last_user_message

Critique = tuple[float, str]  # grade and text


def critic_rm(
    session: Session,
    pairs: Dataset,
    *,
    critic: str = "policy",
    request: str = REQUEST,
    pattern: str = PATTERN,
    samples: int = 4,
    reward: Options = NO_OPTIONS,
) -> dict[str, float]:
    """Critiques of both answers of each pair -> those that agree with the label -> a model that writes and scores.

    Settings:
        critic: name of the model that criticises; any of `models`, or policy.
        request: request for a critique; any text, where {prompt} and {answer} are filled in.
        pattern: regular expression of the grade; any with 1 group that holds a number, of which the last match counts.
        samples: critiques of each answer; at least 1.
        reward: options of the stage of reward/critic_rm: any keys of `train`, and `settings` of its method.
    """
    labelled = [p for p in pairs if isinstance(p, Pair)]
    asked = [
        user(filled(request, prompt=last_user_message(p.prompt), answer=answer_text(side)))
        for p in labelled
        for side in (p.chosen, p.rejected)
    ]
    graded = [graded_by(texts, pattern) for texts in session.ask("critiques", critic, asked, samples=samples)]
    seen: list[Pair] = []
    shown: list[Demonstration] = []
    for i, (p, good, bad) in enumerate(zip(labelled, graded[::2], graded[1::2], strict=True)):
        if not good or not bad or max(good)[0] <= min(bad)[0]:
            continue
        kept = max(good)[1], min(bad)[1]
        texts = [with_critique(answer_text(y), c) for y, c in zip((p.chosen, p.rejected), kept, strict=True)]
        seen.append(replace(p, chosen=texts[0], rejected=texts[1]))
        shown += [Demonstration(seed_for("critique", p.id, k), asked[2 * i + k], kept[k], p.where) for k in (0, 1)]
    session.note(f"critiques agree with {len(seen)} of {len(labelled)} labels")
    session.copy("policy", "reward")
    streams = {"main": dataset(seen, "pairs with critiques"), "critiques": dataset(shown, "critiques")}
    return session.train("reward/critic_rm", streams, rewards=(), **reward)


def graded_by(texts: list[str], pattern: str) -> list[Critique]:
    """Return the critiques that state a grade, with it."""
    return [(grade, text) for text in texts if (grade := stated(text, pattern)) is not None]
