"""Searches with the models of a run: steps are drawn from them, and estimates say what partial answers are worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from posttrain.core.method import Sampling
from posttrain.errors import ConfigError
from posttrain.machine.kill_points import maybe_kill
from posttrain.records import Prompt
from posttrain.sampling.request import Completion, Request
from posttrain.sampling.stop import Stop
from posttrain.search.found import Found
from posttrain.search.search import Place, Search, grow
from posttrain.search.tree import Step, Tree, as_step
from posttrain.training.beginning import beginning, text_behind
from posttrain.training.episodes import request
from posttrain.training.estimates import Estimate
from posttrain.training.run import Run


@dataclass(frozen=True)
class Cut:
    """Where a step ends: behind the token that completes `boundary`, or after `tokens` (None: no limit of its own)."""

    boundary: str = "\n"
    tokens: int | None = None

    def __post_init__(self) -> None:
        if not self.boundary or (self.tokens is not None and self.tokens < 1):
            raise ConfigError(f"search: a step of {self.tokens} tokens, up to {self.boundary!r}, holds nothing")


LINES = Cut()


def searched(
    run: Run,
    prompts: Sequence[Prompt],
    search: Search,
    estimate: Estimate,
    *,
    name: str,
    sampling: Sampling,
    cut: Cut = LINES,
    max_tokens: int | None = None,
) -> list[Found]:
    """Grow a tree for each prompt, side by side. An earlier attempt that was interrupted is not repeated."""
    limit = max_tokens or run.file.sampling.max_tokens
    forced = beginning(run.encoder, run.begin, 0)
    trees = [Tree(limit - len(run.begin)) for _ in prompts]
    started = [Found(p, run.encoder.prompt(p, limit), t, (), forced) for p, t in zip(prompts, trees, strict=True)]
    drawing = Drawing(run, started, name, sampling, cut)
    pieces = run.journal.pieces(f"rounds/{name}")

    def keep(wave: Mapping[str, Any]) -> None:
        pieces.add({**wave, "steps": [asdict(s) for s in wave["steps"]]})
        maybe_kill("search")

    answers = grow(
        search,
        [f.tree for f in started],
        drawing.draw,
        lambda nodes: estimate(run, [(started[i], n) for i, n in nodes]),
        [{**wave, "steps": [as_step(s) for s in wave["steps"]]} for wave in pieces.known],
        keep,
    )
    run.sampler.release()
    return [replace(f, answers=tuple(nodes)) for f, nodes in zip(started, answers, strict=True)]


class Drawing:
    """Draws steps behind nodes. Keys and values of what was read are kept from wave to wave.

    The seed of a step derives from the name of the search, the prompt, the node and how many were drawn there before.
    """

    def __init__(self, run: Run, found: Sequence[Found], name: str, sampling: Sampling, cut: Cut) -> None:
        self.run = run
        self.found = found
        self.name = name
        self.sampling = sampling
        self.cut = cut
        ends = run.stop.strings if run.stop else ()
        self.stop = Stop.at((*ends, cut.boundary), run.encoder.tokenizer)

    def draw(self, places: Sequence[Place]) -> list[Step]:
        """Return a step for each place, all drawn together."""
        drawn = self.run.generate([self._request(p) for p in places], self.sampling.drawn_from)
        return [self._step(p, c) for p, c in zip(places, drawn, strict=True)]

    def _request(self, p: Place) -> Request:
        f = self.found[p.tree]
        before, names = f.before(p.node), (self.name, "step", p.node)
        whole = request(
            self.run, f.prompt, f.asked, self.sampling, names, (0, p.sample), before=before, max_tokens=f.limit
        )
        if p.whole:
            return whole
        most = min(whole.max_tokens, self.cut.tokens or whole.max_tokens)
        last = f.tree.depth == f.tree[p.node].depth + 1  # nothing will be read behind it
        return replace(whole, max_tokens=most, stop=self.stop, keep=not last)

    def _step(self, p: Place, c: Completion) -> Step:
        """A step of what was drawn. Its text is what it adds to that of the answer before it."""
        text = text_behind(self.run.encoder, self.found[p.tree].before(p.node), c.tokens)
        ended = c.tokens[-1] in self.run.encoder.stop or (self.run.stop is not None and self.run.stop(c.tokens))
        return Step(c.tokens, c.logp, text, ended)
