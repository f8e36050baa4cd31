"""Answers that a guide begins or finishes: who wrote which token, what it saw, and who learns from it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from posttrain.config.load import load as load_run
from posttrain.core.guide import END, Guide
from posttrain.core.method import Sampling
from posttrain.core.vocabulary import Source, When
from posttrain.errors import ConfigError, DataError
from posttrain.formulas.guides import random_cut
from posttrain.launch.run import open_session
from posttrain.records import Episode, Prompt, Segment
from posttrain.training.evaluation import sample
from posttrain.training.guided import divided
from posttrain.training.stage import Stage
from tests.harness.runs import SUMS, Interrupt, PowerCut, metrics, run, same_bits

pytestmark = pytest.mark.paper("000:[52]", "001-text:MIXER")
BRIEF = {"sampling.max_tokens": 8, "sampling.samples": 3, "train.prompts_per_step": 4, "train.steps": 2}
SMALL = ["sampling.max_tokens=6", "sampling.samples=1", "train.prompts_per_step=3", "train.learning_rate=1e-2"]
RUN = {
    "model": "tiny",
    "data": {"path": f"{SUMS},size=12", "columns": {"reference": "answer"}},
    "rewards": ["tests.rewards.faulty:length"],
}
PPO_NAMED = """from posttrain.core.method import variant
from posttrain.methods.online.{path} import METHOD
METHOD = variant(METHOD, name="mine", fields={{}}, passes=1)  # fields: a head begins as its role is called
"""


@pytest.fixture
def stage(tmp_path: Path):
    """Makes a stage of a method whose guide is another model than its policy."""
    opened = []

    def make(path: str, settings: dict[str, Any], data: Any = RUN["data"], **limits: Any) -> Stage:
        given = {**RUN, "method": path, "output": str(tmp_path), "data": data}
        session = open_session(load_run(given, [f"{k}={v}" for k, v in (BRIEF | limits).items()]), write=False)
        opened.append(session)
        data = session.dataset(session.run.file.data["main"], "prompts")
        method, train = configure(load(path), settings), session.run.file.train
        made = Stage(
            session.run, method, {"main": data}, rewards=session.run.rewards(), train=train, name="s",
            evaluations=session.evaluations,
        )  # fmt: skip
        if "guide" in session.run.learner.models:
            with torch.no_grad():
                for i, p in enumerate(session.run.learner.models["guide"].parameters()):
                    p += 0.1 * torch.randn(p.shape, generator=torch.Generator().manual_seed(i))
        return made

    yield make
    for session in opened:
        session.close()


def logp(stage: Stage, batch: Any, role: str) -> torch.Tensor:
    """What a model says of every token that it reads in the whole row."""
    return stage.run.learner.forward(batch, {"x": Source(role, "logp", When.ONCE)})["x"]


@pytest.mark.parametrize(("path", "first"), [("online/ppo_plus_plus", "guide"), ("online/aggrevated", "policy")])
def test_each_writer_reads_what_the_other_wrote_and_only_the_policys_tokens_are_trained(stage, path, first):
    made = stage(path, {"share": 1.0})
    batch = made.batches.take(0, 9)[0]["main"]
    shared = [e for e in made.batches.episodes if len(e.segments) == 2]
    assert len(shared) > 6  # all but those whose first writer stopped at once
    for e in shared:
        one, two = e.segments
        assert (one.guided, two.guided) == (first == "guide", first != "guide")
        assert (one.trained, two.trained) == (first != "guide", first == "guide")
        assert len(one.tokens) >= 1
        assert len(two.tokens) >= 1
        assert len(e.tokens) <= 8
        assert one.text + two.text == made.run.encoder.text(e.tokens)
    assert len({len(e.segments[0].tokens) for e in shared}) > 2
    mine, written = batch["rows"].mask, batch["written"].mask
    others = written & ~mine
    assert int(mine.sum()) == sum(len(s.tokens) for e in made.batches.episodes for s in e.segments if not s.guided)
    assert int(others.sum()) == sum(len(s.tokens) for e in made.batches.episodes for s in e.segments if s.guided)
    assert torch.allclose(logp(made, batch, "policy")[mine], batch["rollout_logp"][mine], atol=1e-4)
    assert torch.allclose(logp(made, batch, "guide")[others], batch["rollout_logp"][others], atol=1e-4)
    assert not torch.allclose(logp(made, batch, "policy")[others], batch["rollout_logp"][others], atol=1e-2)


def test_a_share_of_the_answers_has_a_guide(stage):
    made = stage("online/ppo_plus_plus", {"share": 0.5})
    made.batches.take(0, 9)
    counts = [len(e.segments) for e in made.batches.episodes]
    assert 0 < counts.count(2) < len(counts)


@pytest.mark.parametrize("path", ["ppo_plus_plus", "aggrevated"])
def test_without_a_share_it_is_ppo_bit_for_bit(path, tmp_path):
    done = []
    for name in ("ppo", path):
        (tmp_path / name).mkdir()
        (tmp_path / name / "mine.py").write_text(PPO_NAMED.format(path=name))
        method = {"path": f"{tmp_path}/{name}/mine.py"} | ({"share": 0.0} if name != "ppo" else {})
        given = {**RUN, "method": method}
        done.append(run(given, tmp_path / name / "run", *SMALL, "train.steps=2"))
    assert metrics(done[0]) == metrics(done[1])
    assert same_bits(*done)


def test_mixer_imitates_then_samples_an_ever_longer_rest(stage):
    made = stage("online/mixer", {"warmup": 1, "rest": 1, "every": 1})
    references = made.batches.references["main"]
    for step in range(3):
        batch = made.batches.take(step, 9)[0]["main"]
        assert torch.equal(batch["rows"].mask, batch["written"].mask)  # all is trained, one way or the other
        for e in made.batches.episodes:
            reference = references[e.prompt.id]
            given = max(len(reference) - step, 0)
            assert e.tokens[:given] == reference[:given]
            kinds = [s.guided for s in e.segments]
            assert kinds == ([True] if step == 0 else [True, False] if given else [False])
            assert step > 0 or (e.tokens, e.ended) == (reference, True)


def test_an_answer_to_imitate_must_be_there_and_fit(stage):
    with pytest.raises(DataError, match=r"column 'reference'.*data\.columns"):
        stage("online/mixer", {}, data=SUMS)
    with pytest.raises(ConfigError, match=r"sampling\.max_tokens is 1; raise it"):
        stage("online/mixer", {}, **{"sampling.max_tokens": 1})


@pytest.mark.parametrize("path", ["online/ppo_plus_plus", "online/mixer"])
def test_a_run_that_was_cut_off_goes_on_bit_for_bit(path, tmp_path):
    """With answers that are finished in a later step than the one that begins them."""
    given = {**RUN, "method": {"path": path, "passes": 1}}
    brief = [*SMALL, "train.save_every=1", "sampling.slots=2", "sampling.spare_prompts=1", "train.steps=3"]
    whole = run(given, tmp_path / "whole", *brief)
    with pytest.raises(Interrupt):
        run(given, tmp_path / "cut", *brief, display=PowerCut(2))
    resumed = run(given, tmp_path / "cut", *brief, resume=True)
    assert metrics(resumed) == metrics(whole)
    assert same_bits(resumed, whole)


def test_a_character_that_the_cut_divides_belongs_to_the_second_writer():
    run = SimpleNamespace(encoder=SimpleNamespace(text=lambda tokens: bytes(tokens).decode(errors="replace")))
    tokens = tuple("aé!".encode())
    first = Segment(tokens[:2], (0.0, 0.0), text=run.encoder.text(tokens[:2]), guided=True)
    second = Segment(tokens[2:], (0.0, 0.0), text=run.encoder.text(tokens[2:]))
    made = Episode(Prompt(0, "x"), 0, 0, (1,), (first, second))
    assert made.text != "aé!"
    assert [s.text for s in divided(run, made, Guide(random_cut)).segments] == ["a", "é!"]
    assert [s.guided for s in divided(run, made, Guide(random_cut, writes=END)).segments] == [True, True]
    alone = replace(made, segments=(first,))
    assert divided(run, alone, Guide(random_cut)) == alone


def test_outside_of_training_a_guide_is_refused(stage):
    run = stage("online/ppo_plus_plus", {}).run
    with pytest.raises(ConfigError, match="one after the other"):
        sample(run, [], Sampling(guide=Guide(random_cut)), ("x",))
