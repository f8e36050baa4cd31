"""The verbs that look but do not train: collect and measure; and what a resumed session makes of their names."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from posttrain.config.load import load
from posttrain.core.method import Sampling
from posttrain.core.parts import pairwise
from posttrain.errors import ConfigError, StorageError
from posttrain.formulas.losses.pairs import gap
from posttrain.formulas.losses.scores import log_ratio, sum_logp
from posttrain.launch.run import open_session
from posttrain.records import Demonstration, Sampled
from posttrain.selection.pairs import pair
from posttrain.training.session import Session
from tests.harness.runs import SUMS, Interrupt, PowerCut, metrics, run

BRIEF = ["sampling.max_tokens=6", "sampling.slots=64"]


def session(tmp_path: Path, **given: Any) -> Session:
    content = {"model": "tiny", "method": "imitation/sft", "data": f"{SUMS},size=8", **given}
    return open_session(load(content, [f"output={tmp_path}", *BRIEF]))


def prompts(of: Session) -> Any:
    return of.dataset(of.run.file.data["main"], "prompts")


@pytest.mark.fault("T11")
def test_sampled_answers_are_learnt_token_by_token(tmp_path: Path) -> None:
    """Bytes of a random model are seldom valid text: read again from it, they would be other tokens."""
    with session(tmp_path) as s:
        for r in s.collect("a", prompts(s), Sampling(samples=4), rewards=()):
            (row,) = s.run.encoder.rows(Demonstration(1, r.prompt.prompt, Sampled(r.tokens, r.text)), "demonstrations")
            assert row.tokens == r.prompt_tokens + r.tokens
            assert row.trained == (False,) * len(r.prompt_tokens) + (True,) * len(r.tokens)
            if not r.ended:
                assert row.tokens[-1] != s.run.encoder.tokenizer.eos_token_id


def test_models_say_what_an_answer_is_worth(tmp_path: Path) -> None:
    with session(tmp_path) as s:
        s.copy("policy", "reference")
        asked = prompts(s)
        by_likelihood = s.collect("a", asked, Sampling(samples=2), rewards=sum_logp)
        for r in by_likelihood:
            assert r.reward == pytest.approx(sum(r.logp), abs=1e-4)
        by_ratio = s.collect("b", asked, Sampling(samples=2), rewards=log_ratio)
        assert {r.reward for r in by_ratio} == {0.0}
        two = pair(*by_likelihood[:2])
        (difference,) = s.measure("c", [two], pairwise(gap, sum_logp))
        assert difference == pytest.approx(by_likelihood[0].reward - by_likelihood[1].reward, abs=1e-4)


def test_a_copy_may_go_part_of_the_way(tmp_path: Path) -> None:
    with session(tmp_path) as s:
        s.copy("policy", "start")
        s.train("imitation/sft", s.dataset(s.run.file.data["main"], "demonstrations"), steps=1, learning_rate=1e-2)
        models = s.run.learner.models  # type: ignore[attr-defined]
        want = {n: x + (models["policy"].state_dict()[n] - x) / 4 for n, x in models["start"].state_dict().items()}
        s.copy("policy", "start", 0.25)
        for n, x in models["start"].state_dict().items():
            torch.testing.assert_close(x, want[n])
        s.copy("policy", "start", 1.0)
        assert all(torch.equal(x, models["policy"].state_dict()[n]) for n, x in models["start"].state_dict().items())


def test_a_name_is_used_once(tmp_path: Path) -> None:
    with session(tmp_path) as s:
        s.collect("a", prompts(s), Sampling(), rewards=())
        with pytest.raises(ConfigError, match="rounds/a was made before"):
            s.collect("a", prompts(s), Sampling(), rewards=())


def test_other_names_draw_other_answers(tmp_path: Path) -> None:
    with session(tmp_path) as s:
        a, b = (s.collect(n, prompts(s), Sampling(), rewards=()) for n in "ab")
        assert [r.tokens for r in a] != [r.tokens for r in b]


def test_two_authors_are_each_others_opponents(tmp_path: Path) -> None:
    with session(tmp_path, rewards=[]) as s:
        one, two = Sampling(), Sampling(temperature=1.5)
        answers = s.collect("a", prompts(s), one, two, rewards=())
        assert [r.author for r in answers[:8]] == [0] * 8
        assert all("opponent" not in r.prompt.columns for r in answers)


def test_the_run_file_says_how_many_answers_where_it_says_something(tmp_path: Path) -> None:
    with session(tmp_path, sampling={"samples": 5, "temperature": 0.5}) as s:
        assert s.sampling(samples=8) == Sampling(samples=5, temperature=0.5)
    with session(tmp_path) as s:
        assert s.sampling(samples=8, temperature=0.0) == Sampling(samples=8, temperature=0.0)
        assert replace(s.sampling(), samples=2) == s.sampling(samples=2)


PROCEDURE = """
def mine(session, prompts, *, names=("a",)):
    for name in names:
        session.collect(name, prompts, session.sampling(samples=2), rewards=())
    return session.train("online/reinforce", prompts, steps=4)


"""


def content(folder: Path, **settings: Any) -> dict[str, Any]:
    (folder / "mine.py").write_text(PROCEDURE)
    (folder / "reward.py").write_text("def length(completions):\n    return [float(len(c)) for c in completions]\n")
    return {
        "model": "tiny",
        "procedure": {"path": str(folder / "mine.py"), **settings},
        "data": {"prompts": f"{SUMS},size=8"},
        "rewards": [f"{folder}/reward.py:length"],
        "evaluate": {"data": f"{SUMS},size=4"},
        "train": {"save_every": 2, "prompts_per_step": 4},
    }


def interrupted(folder: Path) -> Path:
    with pytest.raises(Interrupt):
        run(content(folder), folder / "run", *BRIEF, display=PowerCut(3))
    return next((folder / "run").iterdir())


def test_a_resumed_run_reads_evaluations_that_it_could_not_repeat(tmp_path: Path) -> None:
    (tmp_path / "whole").mkdir()
    whole = run(content(tmp_path / "whole"), tmp_path / "whole" / "run", *BRIEF)
    interrupted(tmp_path)
    resumed = run(content(tmp_path), tmp_path / "run", *BRIEF, resume=True)
    assert metrics(resumed) == metrics(whole)
    for name in ("before", "after"):
        assert resumed.evaluations[name].scores == whole.evaluations[name].scores


def test_a_resumed_run_that_lost_what_it_collected_stops(tmp_path: Path) -> None:
    (interrupted(tmp_path) / "rounds" / "a.jsonl").unlink()
    with pytest.raises(StorageError, match=r"rounds/a\.jsonl: cannot be read"):
        run(content(tmp_path), tmp_path / "run", *BRIEF, resume=True)


def test_a_procedure_that_has_changed_is_not_resumed_into_nonsense(tmp_path: Path) -> None:
    interrupted(tmp_path)
    with pytest.raises(ConfigError, match="rounds/b is new: the procedure has changed"):
        run(content(tmp_path, names=["a", "b"]), tmp_path / "run", *BRIEF, resume=True)


@pytest.mark.parametrize("order", [("score", "value"), ("value", "score")])
def test_heads_come_back_in_the_order_that_the_optimiser_knows(order: tuple[str, str], tmp_path: Path) -> None:
    with session(tmp_path / "a") as before, session(tmp_path / "b") as after:
        backends: list[Any] = [before.run.learner, after.run.learner]
        for head in order:
            backends[0].models["policy"].add_head(head)
        backends[0].changed.add("policy")
        backends[1].restore(backends[0].state())
        names = [[n for n, _ in b.models["policy"].named_parameters() if n.startswith("heads.")] for b in backends]
    assert names[0] == names[1]
