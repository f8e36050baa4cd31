"""The vocabulary of tensors: names, axes, and which model output each is.

All sequences of a batch lie end to end. Axes: T tokens, B rows (sequences), N pairs, "" one number; after them V
vocabulary, K numbers of one head (members, attributes, quantiles), D hidden width. The first letter of a tensor's axes
says how it follows when the batch is cut.
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
    """Which output of which model a tensor is, and when it is computed. `size`: numbers that the model's head gives."""

    model: str
    output: str
    when: When
    size: int = 1


@dataclass(frozen=True)
class Field:
    """One name of the vocabulary. Without a source it is a column of the data, or the method derives it.

    With a source and `column`, a column of the data of this name takes the place of the model.
    """

    axes: str
    doc: str
    source: Source | None = None
    column: bool = False


def live(axes: str, doc: str, model: str, output: str, *, size: int = 1) -> Field:
    """An output of a model with every micro-batch, with gradient if the model is trained."""
    return Field(axes, doc, Source(model, output, When.LIVE, size))


def once(axes: str, doc: str, model: str, output: str, *, size: int = 1, column: bool = False) -> Field:
    """An output of a model once per batch, without gradient."""
    return Field(axes, doc, Source(model, output, When.ONCE, size), column)


def head(name: str, model: str, output: str, doc: str, axes: str = "T") -> dict[str, Field]:
    """A trained output and the same before the update: {name, old_name}."""
    return {
        name: live(axes, doc, model, output),
        f"old_{name}": once(axes, f"{doc}, before the update", model, output),
    }


# Index t of logp, logits, entropy and value belongs to the PREDICTION of tokens[t]: it comes from the state before it.
FIELDS: dict[str, Field] = {
    "tokens": Field("T", "token ids, all rows end to end"),
    "rows": Field("T", "which row each token is in, and which tokens are trained"),
    "written": Field("T", "the same rows with the tokens that the model wrote, trained or not"),
    "row_id": Field("B", "stable id of the row"),
    "group": Field("B", "id of the prompt that the row answers"),
    "author": Field("B", "which entry of the stream's sampling wrote the row"),
    "ended": Field("B", "the row stopped by itself, not at the limit of tokens"),
    "temperature": Field("B", "temperature that the row was sampled at; log-probs are of that distribution"),
    "max_tokens": Field("", "limit of tokens of a sampled answer"),
    "pairs": Field("N 2", "row numbers (preferred, rejected)"),
    "label": Field("B", "desirable or not"),
    "rank": Field("B", "place of the answer among those to the same prompt, 0 is the best"),
    "margin": Field("B", "by how much the preferred answer of the pair is better"),
    "safe": Field("B", "1 if the answer is safe, 0 if not"),
    "relevance": Field("T", "how much the segment that the token is in matters to the judgement"),
    "rollout_logp": Field("T", "log-prob under the distribution that the token was drawn from"),
    "seed": Field("", "random seed of this batch"),
    "step": Field("", "number of this batch; schedules read it"),
    "token_reward": Field("T", "reward after each token"),
    "advantage": Field("T", "credit of each token"),
    "returns": Field("T", "target of the critic"),
    **head("logp", "policy", "logp", "policy log-prob of the token"),
    **head("value", "critic", "value", "value of the critic"),
    "logits": live("T V", "policy logits", "policy", "logits"),
    "entropy": live("T", "policy entropy", "policy", "entropy"),
    "score": live("B", "score of the reward model in training", "reward", "score"),
    "ref_logits": live(
        "T V", "reference logits; too large to keep, so made with each micro-batch", "reference", "logits"
    ),
    "ref_logp": once("T", "log-prob under the reference", "reference", "logp"),
    "reward": once("B", "scalar reward", "reward", "score", column=True),
    "model_reward": once("B", "score of the reward model, beside the rewards of the run", "reward", "score"),
    "cost": once("B", "scalar cost, > 0 is unsafe", "cost", "score", column=True),
}
FROZEN = frozenset({"reference", "teacher"})  # roles whose LIVE tensors never carry gradient
LINKS = ("pairs", "group")  # tensors that tie rows together
BY_TRAINER = frozenset({"seed", "step"})
