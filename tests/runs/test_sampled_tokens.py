"""Samples token by token: one entry for each token, and nothing that is not known."""

import json
from functools import partial

from posttrain.records import Episode, Prompt, Segment
from posttrain.runs.sampled_tokens import per_token, texts_of
from posttrain.runs.samples import SamplesWriter


class Tokenizer:
    def batch_decode(self, batch):
        return [f"<{token}>" for (token,) in batch]


TEXTS = partial(texts_of, Tokenizer())
TURNS = (
    Segment((5, 6), (-0.12345678, -float("inf")), text="ab", versions=(3, 4)),
    Segment((7,), None, author=None, text="c"),
    Segment((8,), (-1.0,), text="d", trained=False, versions=(4,)),
)


def test_every_token_of_every_turn():
    episode = Episode(Prompt(1, "x"), 0, 0, (1,), TURNS, credits={"steps": (0.5, 0.0, 0.0, 1.0)})
    assert per_token(episode, TEXTS) == {
        "text": ["<5>", "<6>", "<7>", "<8>"],
        "logp": [-0.1235, None, None, -1.0],
        "trained": [1, 1, 0, 0],
        "segment": [0, 0, 1, 2],
        "version": [3, 4, None, 4],
        "steps": [0.5, 0.0, 0.0, 1.0],
    }


def test_only_on_demand(tmp_path):
    episode = Episode(Prompt(1, "x"), 0, 0, (1,), TURNS[:1])
    plain, full = (SamplesWriter(tmp_path / n, texts).write(1, [episode]) for n, texts in (("a", None), ("b", TEXTS)))
    assert "per_token" not in json.loads(plain.read_text())
    assert json.loads(full.read_text())["per_token"]["text"] == ["<5>", "<6>"]
