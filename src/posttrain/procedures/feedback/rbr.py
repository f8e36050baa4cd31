"""Rule Based Rewards for Language Model Safety (Mu et al., 2024): RBR.

A model says how probable each of several propositions about an answer is. Their weights are fitted to pairs, beside the
score of a reward model, and RL pursues the sum.

    w = argmin mean over pairs of max(0, m + R(y_l) - R(y_w)),    R(x, y) = R_rm(x, y) + Σ_i w_i P(proposition i holds)

R_rm of the fit are the columns `chosen_reward` and `rejected_reward` of the pairs, 0 without them; in RL it is the sum
of the run file's `rewards`, such as reward_model. The paper's pairs are synthetic, of better and worse ways to refuse
or to comply. The weights are in artefacts/rule_weights.json, for `rewards: [{path: propositions, weights: ...}]`.
"""

from __future__ import annotations

from collections.abc import Sequence

from posttrain.data.dataset import Dataset
from posttrain.judges.propositions import HOLDS, YES_OR_NO, questions
from posttrain.records import Pair
from posttrain.selection.rule_weights import hinge_weights, ordered_share
from posttrain.training.session import NO_OPTIONS, Options, Session
from posttrain.turns import answer_text, last_user_message


def rbr(
    session: Session,
    pairs: Dataset,
    prompts: Dataset,
    *,
    propositions: tuple[str, ...],
    judge: str = "judge",
    question: str = HOLDS,
    margin: float = 1.0,
    fit_rate: float = 0.01,
    fit_steps: int = 1000,
    method: str = "online/ppo",
    then: Options = NO_OPTIONS,
) -> dict[str, float]:
    """Ask which propositions hold of the answers of the pairs -> fit their weights -> RL on the rewards and the rules.

    Settings:
        propositions: statements about an answer; any texts, at least one.
        judge: name of the model that says whether they hold; any of `models`, or policy.
        question: question to it; a text with {proposition}, {prompt} and {answer}.
        margin: m, by how much the better answer shall stand out; above 0, 1 in the paper.
        fit_rate: step of Adam in the fit; above 0, 0.01 in the paper.
        fit_steps: number of its steps; at least 1, 1000 in the paper.
        method: name of the last method; any that samples answers and reads rewards.
        then: options of the last stage: any keys of `train`, and `settings` of its method.
    """
    compared = _compared(session, pairs, propositions, judge, question)
    known = [(float(p.columns.get("chosen_reward", 0)), float(p.columns.get("rejected_reward", 0))) for p in pairs]
    fitted = hinge_weights(compared, known, margin=margin, rate=fit_rate, steps=fit_steps)
    before, after = (ordered_share(compared, known, w) for w in ([0.0] * len(fitted), fitted))
    session.note(f"the rewards order {after:.0%} of {len(pairs)} pairs with the rules, {before:.0%} without them")
    weights = dict(zip(propositions, fitted, strict=True))
    session.artefact("rule_weights", weights)
    rules = session.reward("propositions", model=judge, weights=weights, question=question)
    session.copy("policy", "reference")
    return session.train(method, prompts, rewards=(*session.rewards(), rules), **then)


def _compared(
    session: Session, pairs: Dataset, propositions: Sequence[str], judge: str, question: str
) -> list[tuple[list[float], list[float]]]:
    """Probabilities of all propositions, for the better and the worse answer of each pair."""
    answers = [(p.prompt, y) for p in pairs if isinstance(p, Pair) for y in (p.chosen, p.rejected)]
    asked = [
        turns for x, y in answers for turns in questions(propositions, last_user_message(x), answer_text(y), question)
    ]
    yes = [p[0] for p in session.choose("propositions", judge, asked, YES_OR_NO)]
    rows = [yes[i : i + len(propositions)] for i in range(0, len(yes), len(propositions))]
    return list(zip(rows[::2], rows[1::2], strict=True))
