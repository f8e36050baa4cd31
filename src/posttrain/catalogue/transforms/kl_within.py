"""A KL on a part of each answer: `method: {path: online/ppo, kl_within: parts}`.

    β Σ_t m_t KL_t,    m_t = 1 in the parts that the reward of this name marks, else 0

SIRL (Chen et al., 2025) holds the model and the code of an answer near the reference and leaves the reasoning free. The
reward gives a number above 0 to each part that counts, and one below 0 to each that does not; its weight is 0
(rewards/bundled/parts.py).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from posttrain.catalogue.transforms.kl import IN_LOSS, SHAPED
from posttrain.core.method import Method, Term, variant
from posttrain.core.parts import Part, PartError, part
from posttrain.core.vocabulary import Field
from posttrain.formulas.credit import shaping
from posttrain.formulas.credit.marked import in_marked, logp_in_marked, times_marked

IN_REWARD = {*SHAPED, shaping.reward_minus_kl, shaping.minus_kl}


def kl_within(method: Method, name: Any) -> Method:
    """Return the method whose KL, in the reward and in the loss, counts on the parts that the reward `name` marks.

    Raises PartError for a method without a KL on sampled answers, and for a name that no reward can have.
    """
    if not (isinstance(name, str) and name.isidentifier()):
        raise PartError(f"method.kl_within must be the name of a reward that marks parts of answers, not {name!r}")
    marked = part(in_marked, marks=f"token_reward_{name}")
    derived = {k: replace(d, part=_shaped(d.part, marked)) for k, d in method.derived.items()}
    loss = {k: _penalised(t, marked) for k, t in method.loss.items()}
    if derived == dict(method.derived) and loss == dict(method.loss):
        raise PartError(f"method.kl_within: {method.name} has no KL; add kl_in_loss or kl_in_reward")
    says = f"numbers of the reward `{name}`: above 0 at the last token of each part that the KL counts on"
    return variant(
        method, derived=derived, loss=loss, fields={**method.fields, f"token_reward_{name}": Field("T", says)}
    )


def _shaped(old: Part, marked: Part) -> Part:
    """The part with the log-prob of the reference in place of the policy's, outside the marked parts."""
    binds = tuple((n, _shaped(b, marked) if isinstance(b, Part) else b) for n, b in old.binds)
    if old.fn in IN_REWARD:
        given = dict(binds)
        within = part(logp_in_marked, old_logp=given["old_logp"], ref_logp=given["ref_logp"], marked=marked)
        binds = tuple((n, within if n == "old_logp" else b) for n, b in binds)
    return Part(old.fn, binds, old.settings)


def _penalised(term: Term, marked: Part) -> Term:
    """The term, with its KL on the marked parts alone if it is one."""
    if term.part.fn not in IN_LOSS.values():
        return term
    return replace(term, part=part(times_marked, penalty=term.part, marked=marked))
