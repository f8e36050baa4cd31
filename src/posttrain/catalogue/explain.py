"""What a method computes, from which models, when, and what it costs: `posttrain explain METHOD`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from posttrain.catalogue.signature import Parameter, Signature, documented
from posttrain.core.method import Method, Term
from posttrain.core.parts import Part, pick, settings_of
from posttrain.core.plan import Plan, plan
from posttrain.core.vocabulary import When

TIMES = {
    When.ONCE: "once per batch",
    When.STEP: "before every optimiser step",
    When.LIVE: "with gradient, in every micro-batch",
    When.END: "after the passes",
}
MASTER = 16  # bytes per trained parameter: float32 weight, gradient and two moments
COMPUTE = 2  # bytes per parameter of a bf16 copy to compute with


def explain(text: str, method: Method) -> str:
    """The docstring of the method's file, then its plan in words."""
    made = plan(method)
    blocks = [text, _models(made), *(_stream(made, s) for s in method.streams), _settings(method), _arithmetic(made)]
    return "\n\n".join(blocks)


def explain_procedure(text: str, function: Callable[..., Any]) -> str:
    """Join the docstring of the procedure's file, the data that it reads, and its settings with what they mean."""
    signature = Signature(function, own=("session",))
    streams = [f"  {p.name}{'' if p.required else ' (may be left out)'}" for p in signature.data.values()]
    settings = [_setting(f"{p.name} = {_default(p)}", p.doc) for p in signature.settings.values()]
    return "\n\n".join([text, "\n".join(["DATA", *streams]), "\n".join(["SETTINGS", *settings])])


def _setting(value: str, doc: str) -> str:
    return f"  {value:40}  {doc}".rstrip()


def _default(p: Parameter) -> str:
    if p.required:
        return "(must be given)"
    return "{}" if p.default == {} else str(p.default)


def _models(p: Plan) -> str:
    lines = ["MODELS"]
    for role in p.loaded:
        average = p.method.averages.get(role)
        what = "trained" if role in p.trained else f"follows {average.of}" if average else "frozen"
        lines.append(f"  {role:12} {what}")
    return "\n".join(lines)


def _stream(p: Plan, stream: str) -> str:
    made = p.method.streams[stream]
    kept = f", kept whole when cut: {', '.join(sorted(p.links(stream)))}" if p.links(stream) else ""
    lines = [f"STREAM {stream}: {made.kind.name}{kept}"]
    for number, how in enumerate(made.sampling):
        mix = " x ".join(f"{m}^{w:g}" for m, w in how.mix)
        kind = "greedy" if how.temperature == 0 else f"temperature {how.temperature:g}"
        role = "" if how.train else ", not trained"
        lines.append(f"  sampled      author {number}: {how.samples} from {mix}, {kind}{role}")
    for when, label in TIMES.items():
        wants = p.forwards.get((when, stream), {})
        lines += [f"  {n:12} {label}: {s.model}.{s.output}" for n, s in wants.items()]
        if when is When.ONCE:
            lines += [f"  {n:12} {label}: {p.twins[stream][n]} itself, no forward" for n in sorted(p.free[stream])]
        derived = [n for n, over in p.derived.get(when, ()) if over == stream]
        lines += [f"  {n:12} {label}: {_call(p.method.derived[n].part)}" for n in derived]
    lines += [f"  loss         {_term(p, stream, k, t)}" for k, t in p.terms[stream].items()]
    if p.metrics[stream]:
        lines.append(f"  metrics      {', '.join(p.metrics[stream])}")
    return "\n".join(lines)


def _call(part: Part) -> str:
    if part.fn is pick:
        score = part.binds[0][1]
        side = ("chosen", "rejected")[dict(part.settings)["column"]]
        return f"{score if isinstance(score, str) else _call(score)}[{side}]"
    inside = [b if isinstance(b, str) else _call(b) for _, b in part.binds]
    return f"{part.name}({', '.join(inside)})"


def _term(p: Plan, stream: str, name: str, term: Term) -> str:
    live = p.forwards.get((When.LIVE, stream), {})
    trains = sorted({s.model for n, s in live.items() if n in term.part.needs} & set(p.trained))
    weight = "" if term.weight == 1.0 else f"{term.weight} * "
    return f"{name}: {weight}{_call(term.part)}, {term.reduction.value}; trains {', '.join(trains)}"


def _settings(method: Method) -> str:
    known: dict[str, str] = {}
    for root in [*(d.part for d in method.derived.values()), *(term.part for term in method.loss.values())]:
        for p, key, value in settings_of([root]):
            known[f"{p.name}.{key} = {value}"] = documented(p.fn).get(key, "")
    lines = [_setting(*line) for line in known.items()]
    weights = [f"  {k}.weight = {t.weight}" for k, t in method.loss.items()]
    steps = [f"  passes = {method.passes}", f"  minibatches = {method.minibatches}"]
    return "\n".join(["SETTINGS", *lines, *weights, *steps])


def _arithmetic(p: Plan) -> str:
    m = p.method
    answers = sum(how.samples for how in m.streams["main"].sampling)
    rows = f"prompts_per_step x {answers} answers" if answers else f"prompts_per_step {m.streams['main'].kind.name}"
    frozen = len([r for r in p.loaded if r not in p.trained])
    trained = len(p.trained)
    return "\n".join(
        [
            "BATCH",
            f"  rows a step        {rows}",
            f"  optimiser steps    {m.passes} passes x {m.minibatches} minibatches = {m.passes * m.minibatches} a step",
            "  micro-batches      as many as tokens_per_device needs; they change memory and speed, not the result",
            "MEMORY (bf16 compute, N parameters a model, activations besides)",
            f"  {trained} trained x {MASTER + COMPUTE} bytes + {frozen} frozen x {COMPUTE} bytes = "
            f"{trained * (MASTER + COMPUTE) + frozen * COMPUTE} N bytes; with LoRA {(trained + frozen) * COMPUTE} N",
        ]
    )
