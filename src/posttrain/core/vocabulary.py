"""The vocabulary of tensors: their names, axes, and the model outputs that they are.

All sequences of a batch lie end to end. Axes: T tokens, B rows (sequences), N pairs, "" a scalar; after them V
vocabulary, K numbers of one head (members, attributes, quantiles), D hidden width. The first letter of a tensor's axes
says how it is cut when rows are selected.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class When(IntEnum):
    """The time at which a tensor exists."""

    DATA = 0  # arrives with the records
    ONCE = 1  # once per batch, before the passes; no gradient
    STEP = 2  # once per optimiser step, on its whole minibatch; no gradient
    LIVE = 3  # with every micro-batch; carries gradient if its model is trained
    END = 4  # once per batch, after the passes; no gradient


@dataclass(frozen=True)
class Source:
    """The model output that a tensor is, and when it is computed.

    `size`: number of outputs of the model's head; 0 for a head that is there, of any size.

    `mix` and `each` say how the numbers of a head add up to the one score of its model: the weight of each attribute
    (empty if there is no such score), and of each of the numbers that describe one attribute, which lie side by side.
    """

    model: str
    output: str
    when: When
    size: int = 1
    mix: tuple[float, ...] = ()
    each: tuple[float, ...] = (1.0,)

    @property
    def weights(self) -> tuple[float, ...]:
        """Weight of each number of the head in the score: `size` of them, or none."""
        return tuple(attribute * number for attribute in self.mix for number in self.each)


@dataclass(frozen=True)
class Field:
    """One name of the vocabulary: its axes, what it means, and its source.

    Without a source it is a column of the data, or the method derives it. With a source and `column`, a column of the
    data with this name replaces the model.
    """

    axes: str
    doc: str
    source: Source | None = None
    column: bool = False


def live(
    axes: str,
    doc: str,
    model: str,
    output: str,
    *,
    size: int = 1,
    mix: tuple[float, ...] = (),
    each: tuple[float, ...] = (1.0,),
) -> Field:
    """Declare a model output of every micro-batch, with gradient if the model is trained. A `mix` sets the size."""
    return Field(axes, doc, Source(model, output, When.LIVE, len(mix) * len(each) or size, mix, each))


def once(axes: str, doc: str, model: str, output: str, *, size: int = 1, column: bool = False) -> Field:
    """Declare a model output that is computed once per batch, without gradient."""
    return Field(axes, doc, Source(model, output, When.ONCE, size), column)


def head(name: str, model: str, output: str, doc: str, axes: str = "T") -> dict[str, Field]:
    """Declare a trained output, and the same output before the update as `old_NAME`."""
    return {
        name: live(axes, doc, model, output),
        f"old_{name}": once(axes, f"{doc}, before the update", model, output),
    }


# Index t of logp, logits, entropy and value belongs to the PREDICTION of tokens[t], from the state before that token.
FIELDS: dict[str, Field] = {
    "tokens": Field("T", "token ids, all rows end to end"),
    "rows": Field("T", "row of each token, and which tokens are trained"),
    "written": Field("T", "row of each token, and which tokens the model wrote, trained or not"),
    "row_id": Field("B", "stable id of the row"),
    "group": Field("B", "id of the prompt that the row answers"),
    "author": Field("B", "index of the entry of the stream's sampling that wrote the row"),
    "guided": Field("T", "1 at the tokens that a guide wrote, 0 at the author's"),
    "turn": Field("T", "number of the turn of the conversation that the token belongs to, from 0"),
    "conversation": Field("B", "id of the conversation; its rows, if a template makes several, are neighbours"),
    "moment": Field("B", "number of the decision in its conversation, from 0"),
    "duration": Field("B", "steps that the action of a decision takes; 1 unless it is a macro action"),
    "words": Field("B", "number of words of the action"),
    "ended": Field("B", "whether the row stopped by itself, not at the limit of tokens"),
    "temperature": Field("B", "temperature that the row was sampled at; log-probs are of that distribution"),
    "max_tokens": Field("", "maximum number of tokens of a sampled answer"),
    "pairs": Field("N 2", "row numbers (preferred, rejected)"),
    "label": Field("B", "1 if the answer is desirable, 0 if not"),
    "rank": Field("B", "rank of the answer among those to the same prompt; 0 is the best"),
    "margin": Field("B", "how much better the preferred answer of the pair is"),
    "agreement": Field("B", "share of the annotators who prefer the preferred answer of the pair, 0 to 1"),
    "tie": Field("B", "1 if the two answers of the pair are equally good, 0 if not"),
    "safe": Field("B", "1 if the answer is safe, 0 if not"),
    "attributes": Field("B K", "what people say of several attributes of the answer; NaN where they say nothing"),
    "step_label": Field("T", "probability that the step which the token completes is right"),
    "relevance": Field("T", "how much the token's segment matters to the preference"),
    "rollout_logp": Field("T", "log-prob under the distribution that the token was sampled from"),
    "seed": Field("", "random seed of this batch"),
    "step": Field("", "number of this batch, for schedules"),
    "token_reward": Field("T", "reward after each token"),
    "dense_reward": Field("T", "reward of the answer at the tokens that earned it; the rest at its last token"),
    "advantage": Field("T", "credit of each token"),
    "returns": Field("T", "target of the critic"),
    **head("logp", "policy", "logp", "policy log-prob of the token"),
    **head("value", "critic", "value", "value of the critic"),
    "logits": live("T V", "policy logits", "policy", "logits"),
    "entropy": live("T", "policy entropy", "policy", "entropy"),
    "reward_logp": live("T", "log-prob of the token under the language model of the reward model", "reward", "logp"),
    "prefix_score": live("T", "score of the answer up to each token", "reward", "prefix_score"),
    "score": live("B", "score of the reward model that is trained", "reward", "score"),
    "member_scores": live("B K", "scores of the members of an ensemble", "reward", "scores", size=0),
    "ref_logits": live(
        "T V", "reference logits; too large to keep, so computed with each micro-batch", "reference", "logits"
    ),
    "teacher_logits": live(
        "T V", "teacher's logits; too large to keep, so computed with each micro-batch", "teacher", "logits"
    ),
    "teacher_logp": once("T", "log-prob under the teacher", "teacher", "logp"),
    "ref_logp": once("T", "log-prob under the reference", "reference", "logp"),
    "named_rewards": Field("B K", "each reward of the run by itself; NaN where it abstained or failed"),
    "reward_weights": Field("B K", "the weights of these rewards"),
    "reward": once("B", "scalar reward", "reward", "score", column=True),
    "model_reward": once("B", "score of the reward model, beside the rewards of the run", "reward", "score"),
    "cost": once("B", "scalar cost, > 0 is unsafe", "cost", "score", column=True),
}
FROZEN = frozenset({"reference", "teacher"})  # roles whose LIVE tensors never carry gradient
LINKS = ("pairs", "group")  # tensors that tie rows together
BY_TRAINER = frozenset({"seed", "step"})
