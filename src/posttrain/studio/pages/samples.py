"""What the policy answered: all answers of a step in groups, one answer with its tokens, one prompt over the steps."""

from __future__ import annotations

from http import HTTPStatus
from itertools import islice
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from posttrain.studio.folders import answer_files, latest, sampled_steps
from posttrain.studio.pages.parameters import asked, one_of, optional_number, whole
from posttrain.studio.refusal import missing
from posttrain.studio.samples import ORDERS, Filter, file_of, groups, number_of, ordered
from posttrain.studio.studio import Studio
from posttrain.studio.tokens import MOST, measures, strip

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

ON_A_PAGE = 20  # groups
STEPS = 200  # most steps that are searched for one prompt
PREVIEW = 300  # characters of an answer in a list
ONLY = ("", "truncated", "unrated", "failed")


def samples(studio: Studio, request: Request) -> Response:
    """Show the answers of a step, group by group."""
    name = request.path_params["run"]
    steps = answer_files(studio.folders.run(name).folder)
    step = asked(request, "step") or latest(steps)
    rows = studio.samples.of(file_of(steps, step)) if steps else []
    wanted = wanted_of(request)
    order = one_of(asked(request, "order", "file"), "order", ORDERS)
    found = ordered(groups(row for row in rows if wanted.passes(row)), order)
    page = whole(asked(request, "page", "1"), "page", 1)
    shown = found[(page - 1) * ON_A_PAGE : page * ON_A_PAGE]
    query = urlencode([(k, v) for k, v in request.query_params.multi_items() if k != "page"])
    return studio.page(
        request, "samples.html", name=name, steps=list(steps), step=step, wanted=wanted, order=order, orders=ORDERS,
        groups=shown, count=len(found), answers=sum(len(g.rows) for g in found), of=len(rows), page=page,
        pages=-(-len(found) // ON_A_PAGE), query=query, preview=PREVIEW,
    )  # fmt: skip


def wanted_of(request: Request) -> Filter:
    """Read a filter from the address."""
    bounds = {key: optional_number(request, key) for key in ("low", "high", "shortest", "longest")}
    return Filter(asked(request, "q")[:1000], **bounds, only=one_of(asked(request, "only"), "only", ONLY))


def sample(studio: Studio, request: Request) -> Response:
    """Show one answer: its conversation, rewards and notes, and its tokens where the run wrote them."""
    name, step = request.path_params["run"], request.path_params["step"]
    place = whole(request.path_params["place"], "place")
    rows = studio.samples.of(file_of(answer_files(studio.folders.run(name).folder), step))
    if place >= len(rows):
        raise missing(f"answer {place} in the answers of {step:.80}")
    row = rows[place]
    known = measures(row)
    by = one_of(asked(request, "by") or (known[0] if known else ""), "by", known or [""])
    group = next(g for g in groups(rows) if any(r["place"] == place for r in g.rows))
    return studio.page(
        request, "sample.html", name=name, step=step, row=row, group=group, measures=known, by=by, most=MOST,
        tokens=strip(row, by) if known else [], count=len(rows), number_of=number_of,
    )  # fmt: skip


def prompt(studio: Studio, request: Request) -> Response:
    """Show the answers to one prompt at all steps that have it, also those of another run beside them."""
    name, identity = request.path_params["run"], request.path_params["prompt"]
    names = list(dict.fromkeys([name, *filter(None, [asked(request, "with")])]))
    found: dict[int, dict[str, list[dict[str, object]]]] = {}
    for one in names:
        steps = sampled_steps(studio.folders.run(one).folder)
        for step, path in islice(reversed(steps.items()), STEPS):
            own = [row for row in studio.samples.of(path) if str(row.get("prompt_id")) == identity]
            if own:
                found.setdefault(step, {})[one] = own
    if not found:
        raise missing(f"prompt {identity:.40} in the samples of {', '.join(names)}")
    first = next(rows[0] for by_run in found.values() for rows in by_run.values())
    return studio.page(
        request, "prompt.html", HTTPStatus.OK, name=name, identity=identity, prompt=first.get("prompt"), names=names,
        found=dict(sorted(found.items())), every=list(studio.folders.runs()), preview=2000,
    )  # fmt: skip
