"""What each procedure is for: from round to round the embedded model earns more, and it learns from what it should."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
import torch

from posttrain.catalogue.configure import configure
from posttrain.config.load import load
from posttrain.core.rows import Rows
from posttrain.data.dataset import load as dataset
from posttrain.errors import DataError
from posttrain.formulas.credit.baselines import win_minus_kl
from posttrain.formulas.losses.scores import between, mean_logp
from posttrain.launch.result import Result
from posttrain.launch.run import open_session
from posttrain.models.loading.tiny import tiny_model
from posttrain.procedures.pipelines.chain_of_hindsight import hindsight
from posttrain.procedures.pipelines.llama3_rounds import LLAMA3_DPO
from posttrain.procedures.rounds.self_rewarding import question, score
from posttrain.records import Demonstration, Pair, Prompt
from posttrain.viewer.display import Display
from tests.data.rollouts import said
from tests.harness.numbers import answer, step
from tests.harness.runs import SUMS, metrics, run, same_bits, weights
from tests.procedures.running import BRIEF, collected, content, mean_reward

LONGER = {"steps": 6}
TWO = {"steps": 2}


def made(name: str, folder: Path, *overrides: str, data: dict[str, str] | None = None, **settings: Any) -> Result:
    given = content(name, folder, **settings)
    given["data"] |= data or {}
    return run(given, folder / "run", *BRIEF, *overrides)


@pytest.mark.paper("002:Llama 3", "gulcehre2023hz8", "havrilla2024m0y", "002:Gemini")
@pytest.mark.parametrize(
    ("name", "settings", "first", "last"),
    [
        ("raft", {"sft": LONGER}, "round-1", "round-3"),
        ("raft", {"sft": LONGER, "start": "base"}, "round-1", "round-3"),
        ("rest", {"grow": 2, "sft": LONGER}, "grow-1", "grow-2"),
        ("expert_iteration", {"sft": LONGER}, "round-1", "round-3"),
        ("iterative_dpo", {"dpo": LONGER}, "round-1", "round-3"),
        ("iterative_dpo", {"dpo": LONGER, "enhancer": "previous", "pairing": "between_authors"}, "round-1", "round-3"),
        ("iterative_dpo", {"dpo": LONGER, "enhancer": "hot", "reference": "round"}, "round-1", "round-3"),
        ("llama3_rounds", {"reward": LONGER, "sft": LONGER}, "round-1-compared", "round-3-compared"),
    ],
)
def test_answers_earn_more_from_round_to_round(
    name: str, settings: dict[str, Any], first: str, last: str, tmp_path: Path
) -> None:
    rounds = {} if name == "rest" else {"rounds": 3}
    directory = made(name, tmp_path, **rounds, **settings).directory
    assert mean_reward(directory, last) > mean_reward(directory, first) + 0.04


@pytest.mark.paper("gulcehre2023hz8")
def test_rest_improves_on_fewer_and_better_answers_at_a_falling_rate(tmp_path: Path) -> None:
    result = made("rest", tmp_path, grow=1, thresholds=[0.9, 0.0, 0.5], decay=0.1, sft={"epochs": 1})
    rates = [row["learning_rate"] for row in metrics(result)]
    steps = [rates.count(pytest.approx(2e-3 * 0.1**i)) for i in range(3)]
    assert sum(steps) == len(rates)
    assert steps[0] > steps[1] > steps[2] > 0  # an epoch is shorter the fewer answers pass


@pytest.mark.paper("gulcehre2023hz8")
def test_rest_without_a_threshold_that_anything_passes_says_so(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="grow 1, improve 1: no answer was good enough"):
        made("rest", tmp_path, thresholds=[2.0], quantiles=False)


@pytest.mark.paper("havrilla2024m0y", "003:DeepSeek-R1")
@pytest.mark.parametrize("name", ["raft", "expert_iteration"])
@pytest.mark.parametrize("start", ["base", "latest"])
def test_a_round_begins_where_it_should(name: str, start: str, tmp_path: Path) -> None:
    """Adam's first step moves no weight by more than the learning rate, so two rounds of one step tell."""
    result = made(name, tmp_path, rounds=2, start=start, sft={"steps": 1})
    first = tiny_model()[0].trunk.state_dict()
    moved = max(float((x - first[n.partition(":")[2]]).abs().max()) for n, x in weights(result.model).items())
    assert moved == pytest.approx(2e-3 if start == "base" else 4e-3, rel=0.02)


def test_star_asks_again_with_a_hint_where_it_failed_and_learns_without_it(tmp_path: Path) -> None:
    result = made("star", tmp_path, rounds=1)
    failed = {row["prompt_id"] for row in collected(result.directory, "round-1") if row["reward"] == 0}
    again = collected(result.directory, "round-1-with-hints")
    assert {row["prompt_id"] for row in again} == failed
    assert all("(The answer is" in row["prompt"] for row in again)
    assert not any("(The answer is" in row["prompt"] for row in collected(result.directory, "round-1"))


def test_star_takes_more_steps_each_round(tmp_path: Path) -> None:
    result = made("star", tmp_path, rounds=3, steps=5, growth=1.2, threshold=-1.0)
    assert len(metrics(result)) == 5 + 6 + 7


@pytest.mark.paper("xiong2023klt")
@pytest.mark.parametrize("reference", ["never", "round", "lag", 0.25])
def test_the_reference_follows_its_rule(reference: str | float, tmp_path: Path) -> None:
    """The DPO loss of a round's first step is log 2 exactly where the policy is its reference."""
    result = made("iterative_dpo", tmp_path, rounds=3, reference=reference, dpo={"steps": 2, "learning_rate": 5e-3})
    losses = [row["loss"] for row in metrics(result)][::2]
    equal = [loss == pytest.approx(0.6931472, abs=1e-6) for loss in losses]
    assert equal == [True, reference == "round", reference == "round"]


def compared(directory: Path, name: str) -> int:
    """Prompts whose answers differ in reward: each gives one pair."""
    rewards: dict[int, set[float]] = {}
    for row in collected(directory, name):
        rewards.setdefault(row["prompt_id"], set()).add(row["reward"])
    return sum(len(r) > 1 for r in rewards.values())


@pytest.mark.paper("xiong2023klt")
def test_history_is_what_a_round_learns_from(tmp_path: Path) -> None:
    for history in (True, False):
        folder = tmp_path / str(history)
        folder.mkdir()
        result = made("iterative_dpo", folder, rounds=2, history=history, dpo={"epochs": 1, "prompts_per_step": 1})
        first, second = (compared(result.directory, f"round-{n}") for n in (1, 2))
        assert first > 0 < second
        assert len(metrics(result)) == first + second + (first if history else 0)


@pytest.mark.paper("xiong2023klt")
def test_between_authors_compares_the_policy_with_its_enhancer(tmp_path: Path) -> None:
    directory = made("iterative_dpo", tmp_path, enhancer="hot", pairing="between_authors", rounds=1).directory
    assert {row["author"] for row in collected(directory, "round-1")} == {0, 1}


@pytest.mark.paper("002:sDPO")
def test_sdpo_starts_every_stage_from_its_reference_and_a_single_one_is_dpo(tmp_path: Path) -> None:
    result = made("sdpo", tmp_path, stages=3, dpo={"steps": 2})
    assert [row["loss"] for row in metrics(result)][::2] == [pytest.approx(0.6931472, abs=1e-6)] * 3
    folder = tmp_path / "one"
    folder.mkdir()
    one = made(
        "sdpo", folder, stages=1, easy_first=False, dpo={"steps": 4, "prompts_per_step": 48, "learning_rate": 5e-4}
    )
    losses = [row["loss"] for row in metrics(one)]
    assert losses[0] == pytest.approx(0.6931472, abs=1e-6)
    assert losses[-1] < losses[0]


@pytest.mark.paper("ji2024d5f")
def test_spac_begins_every_round_where_its_reference_is(tmp_path: Path) -> None:
    """There the critic says nothing yet, and the loss is log 2; later it thinks less of the policy's own answers."""
    rows = metrics(made("spac", tmp_path, rounds=2, spac={"steps": 8, "learning_rate": 5e-3}))
    assert [row["loss"] for row in rows][::8] == [pytest.approx(0.6931472, abs=1e-6)] * 2
    assert rows[7]["loss/own"] < -rows[7]["loss/data"]  # the mean log-ratio of the preferred answers


@pytest.mark.paper("scheid20244oy")
def test_only_the_chosen_comparisons_are_labelled_and_learnt(tmp_path: Path) -> None:
    result = made("optimal_design", tmp_path, labels=24, dimensions=6, then={"epochs": 1, "prompts_per_step": 1})
    answers, labels = (kept(result.directory, name) for name in ("answers", "labels"))
    assert {row["reward"] for row in answers} == {None}
    assert len(kept(result.directory, "states")) == len({(r["prompt_id"], r["completion"]) for r in answers})
    assert 12 <= len(labels) <= 48 < len(answers)  # at least 6 different comparisons, each of two answers
    assert 0 < len(metrics(result)) <= 24


def test_what_is_labelled_may_teach_a_reward_model(tmp_path: Path) -> None:
    longer = {"steps": 12, "learning_rate": 5e-3}
    rows = metrics(made("optimal_design", tmp_path, method="reward/bradley_terry", then=longer))
    assert rows[-1]["accuracy"] > 0.8


@pytest.mark.paper("boldi2024d0s")
def test_popl_saves_a_policy_for_each_reward_and_each_begins_at_the_reference(tmp_path: Path) -> None:
    """Half of the people want digits, the others letters."""
    result = made("popl", tmp_path, "train.save_every=null", dimensions=2, dpo={"steps": 2})
    losses = [row["loss"] for row in metrics(result)]
    assert losses[::2] == [pytest.approx(0.6931472, abs=1e-6)] * 3
    one, two, fair = (weights(f) for f in (result.directory / "policy_0", result.directory / "policy_1", result.model))
    assert not any(torch.equal(one[n], x[n]) for n in one for x in (two, fair) if one[n].dim() > 1)


@pytest.mark.paper("yang2024ppw")
def test_almupqa_orders_by_the_votes_or_by_what_the_model_thinks(tmp_path: Path) -> None:
    """The right answer has the vote and comes first already, so it is the method itself."""
    rankings = {"path": f"{SUMS},size=48"}
    plain = run({"model": "tiny", "method": "preference/mpra", "data": rankings, "seed": 3}, tmp_path / "plain",
                *BRIEF, "train.steps=2")  # fmt: skip
    losses = {}
    for name, scores in (("votes", [1.0, 1.0, 0.0]), ("model", [0.0, 0.0, 1.0])):
        (tmp_path / name).mkdir()
        losses[name] = [row["loss"] for row in metrics(made("almupqa", tmp_path / name, weights=scores, mpra=TWO))]
    assert losses["votes"] == [row["loss"] for row in metrics(plain)]
    assert losses["model"] != losses["votes"]


def kept(directory: Path, name: str) -> list[Any]:
    return [json.loads(line) for line in (directory / "rounds" / f"{name}.jsonl").read_text().splitlines()]


def test_spin_prefers_the_demonstrations_to_its_own_answers(tmp_path: Path) -> None:
    result = made("spin", tmp_path, rounds=2, dpo={"steps": 12, "learning_rate": 5e-3})
    rows = metrics(result)
    assert rows[11]["loss"] < rows[0]["loss"] == pytest.approx(0.6931472, abs=1e-6)
    assert rows[11]["rewards/accuracies"] > 0.9
    assert {row["reward"] for row in collected(result.directory, "round-1")} == {None}


@pytest.mark.paper("chen2024vkb")
def test_dice_scores_with_its_own_log_ratio(tmp_path: Path) -> None:
    result = made("dice", tmp_path, rounds=1)
    rewards = [row["reward"] for row in collected(result.directory, "round-1")]
    assert len(set(rewards)) > len(rewards) / 2  # a log-ratio differs from answer to answer
    assert any(r > 0 for r in rewards)


@pytest.mark.paper("002:Llama 3", "002:Gemma 2")
def test_the_average_of_two_models_lies_between_them(tmp_path: Path) -> None:
    """With rates [1, 1] both models are the same, and so is their average."""
    common = {"rounds": 1, "sft": {"steps": 1}, "dpo": {"steps": 2}, "reward": {"steps": 1}}
    for name, rates in (("one", [1.0]), ("two", [1.0, 1.0])):
        (tmp_path / name).mkdir()
        common[name] = made("llama3_rounds", tmp_path / name, **{k: common[k] for k in list(common)[:4]}, rates=rates)
    one, two = weights(common["one"].model), weights(common["two"].model)
    assert all(float((one[n] - two[n]).abs().max()) < 2e-3 for n in one)
    assert not same_bits(common["one"], common["two"])  # the second model was dealt the pairs in another order


@pytest.mark.paper("002:Llama 3")
def test_llama3_adds_the_likelihood_of_the_preferred_answer_to_dpo(tmp_path: Path) -> None:
    """At its reference DPO's part is log 2; the rest of the loss is 0.2 of the mean NLL."""
    result = made("llama3_rounds", tmp_path, rounds=1, rates=[1.0], dpo={"steps": 1})
    last = metrics(result)[-1]
    assert last["loss/loss"] == pytest.approx(0.6931472, abs=1e-6)
    assert last["loss"] - last["loss/loss"] == pytest.approx(0.2 * last["loss/nll"], rel=1e-5)


@pytest.mark.paper("002:Llama 3")
def test_llama3_leaves_the_end_of_an_answer_to_the_likelihood() -> None:
    """A gap of 2 without the last tokens; with them, which say the contrary, the gap is -8. The NLL has all of them."""
    chosen = answer(logp=[-1.0, -2.0, -9.0], ref_logp=[-1.5, -2.5, 0.0])
    rejected = answer(logp=[-2.0, -1.0], ref_logp=[-1.0, -2.0])

    def terms(**settings: float) -> list[float]:
        found = step(configure(LLAMA3_DPO, settings), chosen, rejected, pairs=[(0, 1)]).metrics
        return [found["loss/loss"], found["loss/nll"]]

    assert terms() == pytest.approx([math.log1p(math.exp(-0.2)), 4.0])
    assert terms(end=1.0) == pytest.approx([math.log1p(math.exp(0.8)), 4.0])


def likelihood(result: Result, folder: Path, rows: list[Demonstration]) -> list[float]:
    """Mean log-prob of each answer under the model that a run has left."""
    run_file = load({"model": str(result.model), "method": "imitation/sft", "data": SUMS}, [f"output={folder}"])
    with open_session(run_file) as session:
        return session.measure("likelihood", rows, mean_logp)


@pytest.mark.paper("000-text:Chain of Hindsight")
def test_hindsight_tells_good_from_bad_by_the_words(tmp_path: Path) -> None:
    """After the words for a good answer the preferred one is likelier, after those for a bad one the other."""
    result = made("chain_of_hindsight", tmp_path, good=" good: ", bad=" bad: ", sft={"steps": 60})
    pairs = [p for p in dataset(f"{SUMS},size=48", "pairs") if isinstance(p, Pair)]
    words = {"good": " good: ", "bad": " bad: "}
    rows = [row for p in pairs for side in ("good", "bad") for row in hindsight(p, side, words)]
    swapped = [row for p in pairs for side in ("good", "bad") for row in hindsight(turned(p), side, words)]
    right, wrong = (likelihood(result, tmp_path / name, r) for name, r in (("a", rows), ("b", swapped)))
    assert fmean(right) > fmean(wrong) + 0.05


def turned(p: Pair) -> Pair:
    return replace(p, chosen=p.rejected, rejected=p.chosen)


@pytest.mark.paper("000-text:Chain of Hindsight")
def test_a_pair_in_hindsight() -> None:
    told = hindsight(Pair(1, "q", "yes", "no"), "bad_good", {"good": " +", "bad": " -"})
    assert [(d.prompt, d.completion) for d in told] == [("q -", "no"), ("q -no +", "yes")]
    (alone,) = hindsight(Pair(1, "q", "yes", "no"), "good", {"good": " +", "bad": " -"})
    assert (alone.prompt, alone.completion) == ("q +", "yes")


@pytest.mark.paper("000:[69]")
def test_the_judge_reads_question_and_answer_and_its_last_score_counts() -> None:
    asked = question(said(3, "42", None), "Q {question} A {answer}?")
    assert asked.prompt == "Q question 3 A 42?"
    written = [said(3, t, None, prompt=asked) for t in ("Score: 1, no, score: 4", "nothing", "Score: 3")]
    assert score(asked, written, r"[Ss]core: *([0-5])") == 3.5
    assert score(asked, written[1:2], r"[Ss]core: *([0-5])") is None
    chat = replace(said(3, "42", None), prompt=Prompt(3, ({"role": "user", "content": "hi {answer}"},)))
    assert question(chat, "{question}").prompt == ({"role": "user", "content": "hi 42"},)


@pytest.mark.paper("000:[69]")
def test_self_rewarding_needs_no_reward_and_judges_every_answer(tmp_path: Path) -> None:
    given = content("self_rewarding", tmp_path) | {"rewards": []}
    directory = run(given, tmp_path / "run", *BRIEF).directory
    judged = collected(directory, "round-1-judged")
    assert len(judged) == 3 * len({(r["prompt_id"], r["sample"]) for r in collected(directory, "round-1")})


@pytest.mark.paper("002:Quark")
def test_quark_samples_with_the_best_tag_and_earns_more(tmp_path: Path) -> None:
    directory = made(
        "quark", tmp_path, "sampling.samples=8", rounds=3, tag=" q{quantile}", sft={"steps": 32, "prompts_per_step": 32}
    ).directory
    assert mean_reward(directory, "round-3") > mean_reward(directory, "round-1") + 0.04
    assert not any(" q" in row["prompt"] for row in collected(directory, "round-1"))
    assert all(row["prompt"].endswith(" q3") for row in collected(directory, "round-2"))


@pytest.mark.paper("000:[23]")
def test_refinements_see_draft_and_feedback_and_are_imitated_without_them(tmp_path: Path) -> None:
    directory = made("ilf", tmp_path, rounds=3, sft={"steps": 8}).directory
    drafts = {row["prompt_id"]: row["completion"] for row in collected(directory, "round-1-drafts")}
    feedback = {row["prompt_id"]: row["completion"] for row in collected(directory, "round-1-feedback")}
    for row in collected(directory, "round-1"):
        assert row["prompt"].endswith(drafts[row["prompt_id"]] + feedback[row["prompt_id"]] + "!")
    rows = [collected(directory, f"round-{n}-drafts") for n in (1, 3)]
    first, last = (sum(c in "0123456789" for row in r for c in row["completion"]) for r in rows)
    assert last > first + 4


@pytest.mark.paper("000:[23]")
def test_feedback_that_people_wrote_is_not_written_again(tmp_path: Path) -> None:
    rows = [{"prompt": f"{i}?", "feedback": f"more {i}"} for i in range(8)]
    (tmp_path / "told.jsonl").write_text("\n".join(map(json.dumps, rows)))
    directory = made("ilf", tmp_path, rounds=1, data={"prompts": f"{tmp_path}/told.jsonl"}).directory
    assert not (directory / "rounds" / "round-1-feedback.jsonl").exists()
    assert all("more" in row["prompt"] for row in collected(directory, "round-1"))


@pytest.mark.paper("chakraborty20247ew")
def test_two_groups_are_told_apart_and_the_one_that_gains_least_is_served(tmp_path: Path) -> None:
    notes = Notes()
    given = content("maxmin_rlhf", tmp_path, em=4, rounds=1, reward={"steps": 12})
    directory = run(given, tmp_path / "run", *BRIEF, display=notes).directory
    losses = [[json.loads(x) for x in (directory / "rounds" / f"em-4-{u}.jsonl").read_text().split()] for u in (0, 1)]
    groups = [{i % 6 for i in range(96) if losses[u][i] < losses[1 - u][i]} for u in (0, 1)]
    assert sorted(map(sorted, groups)) == [[0, 2, 4], [1, 3, 5]]
    assert any(note.startswith("em 4: groups of 3, 3") for note in notes.said)


@pytest.mark.paper("chakraborty20247ew")
def test_a_pair_of_nobody_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="'annotator' is missing"):
        made("maxmin_rlhf", tmp_path, data={"pairs": f"{SUMS},size=8"})


def test_mirror_prox_goes_from_the_same_policy_twice(tmp_path: Path) -> None:
    """The second step begins again with the policy of the round, so a round moves as far as one step."""
    result = made("nash_mirror_prox", tmp_path, rounds=1, prox={"steps": 1})
    first = tiny_model()[0].trunk.state_dict()
    moved = max(float((x - first[n.partition(":")[2]]).abs().max()) for n, x in weights(result.model).items())
    assert moved == pytest.approx(2e-3, rel=0.02)


@pytest.mark.paper("tiapkin202538o")
def test_mirror_prox_is_held_by_the_reference_and_by_the_policy_of_the_round() -> None:
    """β KL(π||ref) + 1/η KL(π||π_k) = (β + 1/η) KL(π||ref^(1-s) π_k^s), up to a constant; s = 1/η / (β + 1/η)."""
    beta, eta = 0.1, 2.0
    tau, share = beta + 1 / eta, (1 / eta) / (beta + 1 / eta)
    rows = Rows(torch.tensor([0, 0]), torch.tensor([True, True]), 1)
    own, ref, begun = (torch.tensor(x) for x in ([-1.0, -2.0], [-1.5, -0.5], [-3.0, -1.0]))
    want = 0.8 - 0.5 - beta * (own - ref).sum() - 1 / eta * (own - begun).sum()
    made = win_minus_kl(torch.tensor([0.8]), own, between(ref, begun, share=share), rows, tau=tau)
    torch.testing.assert_close(made, want.expand(2))


def test_mirror_prox_beats_the_policy_of_the_start(tmp_path: Path) -> None:
    result = made(
        "nash_mirror_prox", tmp_path, "sampling.samples=8", rounds=1, beta=0.01, eta=20.0,
        prox={"steps": 12, "prompts_per_step": 24},
    )  # fmt: skip
    rewards = [row["reward"] for row in metrics(result)]
    assert rewards[0] == pytest.approx(0.5, abs=0.1)  # against itself
    assert fmean(rewards[8:12]) > 0.6
    assert rewards[12] < 0.5  # the second step begins anew, against what the first has become


class Notes(Display):
    def __init__(self) -> None:
        self.said: list[str] = []

    def note(self, text: str) -> None:
        self.said.append(text)
