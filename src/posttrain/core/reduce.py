"""The loss of every method: terms are summed per micro-batch and divided by counts of the whole optimiser step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor

from posttrain.core.batch import Batch
from posttrain.core.method import Reduce, Term
from posttrain.core.parts import Part
from posttrain.core.plan import Plan
from posttrain.core.rows import Rows
from posttrain.core.vocabulary import When

Counts = Mapping[Term, float]


def total(term: Term, x: Tensor, batch: Batch) -> Tensor:
    """Sum a term's values over a batch. Divided by `count`, this is the term's mean."""
    rows: Rows = batch["rows"]
    match term.reduction, term.part.axes:
        case Reduce.SEQUENCE_MEAN, _:
            return rows.mean(x).sum()
        case _, "T":
            return rows.sum(x).sum()
        case _, "B":
            return torch.where(rows.trained, x, 0).sum()
        case _:
            return x.sum()


def count(term: Term, batch: Batch) -> float:
    """Count what a term averages over: tokens, or rows with a trained token, or pairs. At least 1."""
    rows = batch["rows"]
    match term.reduction, term.part.axes:
        case Reduce.TOKEN_MEAN, _:
            n = int(rows.mask.sum())
        case Reduce.WHOLE, _:
            n = 1
        case Reduce.MEAN, "N":
            n = len(batch["pairs"])
        case _:
            n = int(rows.trained.sum())
    return float(max(n, 1))


def counts(terms: Iterable[Term], batch: Batch) -> dict[Term, float]:
    """Count for several terms what each of them averages over."""
    return {term: count(term, batch) for term in terms}


def weight(term: Term, batch: Batch) -> float | Tensor:
    """Return the weight of a term: its number, or the scalar tensor of the batch that it names."""
    return batch[term.weight] if isinstance(term.weight, str) else term.weight


def with_live(plan: Plan, stream: str, batch: Batch, live: Mapping[str, Tensor], *, fresh: bool) -> Batch:
    """Add the model outputs to the batch. Before the first step of a batch, old_logp is logp, bit for bit."""
    axes = {n: f.axes for n, f in plan.method.vocabulary.items()}
    twins = plan.twins[stream] if fresh else {n: plan.twins[stream][n] for n in plan.free[stream]}
    same = {n: live[twin].detach() for n, twin in twins.items() if twin in live}
    return batch.add(live, axes).add(same, axes)


def micro_loss(
    plan: Plan, stream: str, micro: Batch, live: Mapping[str, Tensor], counts: Counts, *, fresh: bool
) -> tuple[Tensor, dict[str, float]]:
    """Compute what one micro-batch adds to the loss of the optimiser step, and to each term and metric by name."""
    batch = with_live(plan, stream, micro, live, fresh=fresh)
    cache: dict[Part, object] = {}
    loss = torch.zeros((), device=batch["tokens"].device)
    shares: dict[str, float] = {}
    for name, term in plan.terms[stream].items():
        if not term.whole:
            mean = total(term, term.part(batch, cache=cache), batch) / counts[term]
            loss = loss + weight(term, batch) * mean
            shares[f"loss/{name}"] = float(mean.detach())
    for name, output in live.items():  # terms over the whole minibatch: value and gradient were computed beforehand
        if name in micro.cotangents:
            slope = micro.cotangents[name]  # 0 at tokens whose output is not read and may be NaN
            loss = loss + torch.where(slope != 0, slope * (output - output.detach()), 0).sum()
    with torch.no_grad():
        for name, term in plan.metrics[stream].items():
            if not term.whole:
                value = total(term, term.part(batch, cache=cache).to(torch.get_default_dtype()), batch)
                shares[name] = float(value / counts[term])
    return loss, shares


def whole_gradients(
    plan: Plan, stream: str, mini: Batch, now: Mapping[str, Tensor]
) -> tuple[Batch, float, dict[str, float]]:
    """Differentiate the loss terms that mix rows with respect to the model outputs of the whole minibatch.

    Returns the minibatch with these gradients as cotangents, the loss, and each term by name. No model is run: every
    micro-batch multiplies its cotangents by its own outputs.
    """
    terms = {k: t for k, t in plan.terms[stream].items() if t.whole}
    if not terms:
        return mini, 0.0, {}
    wanted = plan.forwards.get((When.LIVE, stream), {})
    names = [n for n in wanted if n in now and any(n in t.part.needs for t in terms.values())]
    axes = {n: f.axes for n, f in plan.method.vocabulary.items()}
    leaves = {n: now[n].detach().requires_grad_() for n in names}
    full = mini.add(leaves, axes)
    values = {k: t.part(full) for k, t in terms.items()}
    value = torch.stack([torch.as_tensor(weight(t, full) * values[k]) for k, t in terms.items()]).sum()
    grads = torch.autograd.grad(value, list(leaves.values()))
    cotangents = dict(zip(leaves, grads, strict=True))
    shares = {f"loss/{k}": float(v.detach()) for k, v in values.items()}
    return mini.with_cotangents(mini.clean(cotangents, axes), axes), float(value.detach()), shares
