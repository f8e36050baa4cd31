"""The text of `posttrain explain METHOD`: what a method computes and when, its models, settings and memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from posttrain.catalogue.signature import Parameter, Signature, documented
from posttrain.catalogue.transforms.heads import head_settings
from posttrain.core.guide import Guide
from posttrain.core.method import Method, Term
from posttrain.core.parts import Part, pick, settings_of
from posttrain.core.plan import Plan, plan
from posttrain.core.vocabulary import When

TIMES = {
    When.ONCE: "once per batch",
    When.STEP: "before every optimiser step",
    When.LIVE: "in every micro-batch",
    When.END: "after the passes",
}
MASTER = 16  # bytes per trained parameter: float32 weight, gradient and two moments
COMPUTE = 2  # bytes per parameter of the bf16 copy that computes


def explain(text: str, method: Method) -> str:
    """Join the docstring of the method's file with its models, streams, settings, batch arithmetic and memory."""
    p = plan(method)
    blocks = [text, _models(p), *(_stream(p, s) for s in method.streams), _settings(method), _arithmetic(p)]
    return "\n\n".join(blocks)


def explain_procedure(text: str, function: Callable[..., Any]) -> str:
    """Join the docstring of the procedure's file with the data that it reads and its settings."""
    signature = Signature(function, own=("session",))
    streams = [f"  {p.name}{'' if p.required else ' (optional)'}" for p in signature.data.values()]
    settings = [_setting(f"{p.name} = {_default(p)}", p.doc) for p in signature.settings.values()]
    return "\n\n".join([text, "\n".join(["DATA", *streams]), "\n".join(["SETTINGS", *settings])])


def _setting(value: str, doc: str) -> str:
    return f"  {value:40}  {doc}".rstrip()


def _default(p: Parameter) -> str:
    if p.required:
        return "(required)"
    return "{}" if p.default == {} else str(p.default)


def _models(p: Plan) -> str:
    lines = ["MODELS"]
    for role in p.loaded:
        average = p.method.averages.get(role)
        state = "trained" if role in p.trained else f"moving average of {average.of}" if average else "frozen"
        if role in _functions(p):
            state = "none where `rewards` are functions, else frozen"
        lines.append(f"  {role:12} {state}")
    return "\n".join(lines)


def _functions(p: Plan) -> list[str]:
    """The roles in whose place a run may have reward functions."""
    return [role for role in p.loaded if role == "reward" and role not in p.trained]


def _stream(p: Plan, name: str) -> str:
    stream, links = p.method.streams[name], ", ".join(sorted(p.links(name)))
    lines = [f"STREAM {name}: {stream.kind.name}{f', rows kept together by {links}' if links else ''}"]
    for author, sampling in enumerate(stream.sampling):
        mix = " x ".join(f"{m}^{w:g}" for m, w in sampling.mix) if sampling.decoder is None else sampling.decoder.name
        temperature = "greedy" if sampling.temperature == 0 else f"temperature {sampling.temperature:g}"
        untrained = "" if sampling.train else ", not trained"
        lines.append(f"  sampled      author {author}: {sampling.samples} from {mix}, {temperature}{untrained}")
        if sampling.guide:
            lines.append(f"               {_guide(sampling.guide)}")
    for when, label in TIMES.items():
        wants = p.forwards.get((when, name), {})
        for n, s in wants.items():
            gradient = ", with gradient" if when is When.LIVE and s.model in p.trained else ""
            lines.append(f"  {n:12} {label}{gradient}: {s.model}.{s.output}")
        if when is When.ONCE:
            lines += [f"  {n:12} {label}: equal to {p.twins[name][n]}, no forward pass" for n in sorted(p.free[name])]
        derived = [n for n, over in p.derived.get(when, ()) if over == name]
        lines += [f"  {n:12} {label}: {_call(p.method.derived[n].part)}" for n in derived]
    lines += [f"  loss         {_term(p, name, k, t)}" for k, t in p.terms[name].items()]
    if p.metrics[name]:
        lines.append(f"  metrics      {', '.join(p.metrics[name])}")
    return "\n".join(lines)


def _guide(guide: Guide) -> str:
    by = "the reference answer" if guide.by is None else " x ".join(f"{m}^{w:g}" for m, w in guide.by)
    return f"the {guide.writes} of some by {by}, cut by {_call(guide.cut)}{', trained' if guide.train else ''}"


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
    parts = [*(d.part for d in method.derived.values()), *(term.part for term in method.loss.values())]
    for root in [*parts, *method.cuts]:
        for p, key, value in settings_of([root]):
            known[f"{p.name}.{key} = {value}"] = documented(p.fn).get(key, "")
    lines = [_setting(*line) for line in known.items()]
    lines += [_setting(f"{name} = {value}", doc) for name, value, doc in head_settings(method)]
    weights = [f"  {k}.weight = {t.weight}" for k, t in method.loss.items()]
    steps = [f"  passes = {method.passes}", f"  minibatches = {method.minibatches}"]
    return "\n".join(["SETTINGS", *lines, *weights, *steps])


def _arithmetic(p: Plan) -> str:
    m = p.method
    answers = sum(sampling.samples for sampling in m.streams["main"].sampling)
    rows = f"prompts_per_step x {answers} answers" if answers else f"prompts_per_step {m.streams['main'].kind.name}"
    frozen = len([r for r in p.loaded if r not in p.trained and r not in _functions(p)])
    more = f"; a reward model takes {COMPUTE} N more" if _functions(p) else ""
    trained, steps = len(p.trained), m.passes * m.minibatches
    rates = [f"{role} {m.rate(role).weights:g}, with LoRA {m.rate(role).lora:g}" for role in p.trained]
    return "\n".join(
        [
            "BATCH",
            f"  rows per step      {rows}",
            f"  optimiser steps    {m.passes} passes x {m.minibatches} minibatches = {steps} per step",
            f"  learning rate      {'; '.join(rates)}",
            "  micro-batches      cut to tokens_per_device, which changes memory and speed but not the result",
            "MEMORY (bf16 compute, N parameters per model, without activations)",
            f"  {trained} trained x {MASTER + COMPUTE} bytes + {frozen} frozen x {COMPUTE} bytes = "
            f"{trained * (MASTER + COMPUTE) + frozen * COMPUTE} N bytes; "
            f"with LoRA {(trained + frozen) * COMPUTE} N{more}",
        ]
    )
