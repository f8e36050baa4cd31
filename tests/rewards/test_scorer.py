"""From rollouts to rewards: sums, abstentions, failures, and the same scores however many workers there are."""

import logging
import os
import random
import threading
import time

import numpy as np
import pytest
import torch

from posttrain.errors import ConfigError, DataError, RewardError
from posttrain.records import Episode, Prompt
from posttrain.rewards.reward import Reward, resolve
from posttrain.rewards.scorer import Scorer
from tests.rewards import faulty
from tests.rewards.workers.test_pool import children

F = "tests.rewards.faulty"


def rollouts(*groups, prompt="q", columns=None):
    """One prompt for each group of completions."""
    made = []
    for i, texts in enumerate(groups):
        asked = Prompt(i, prompt, columns or {}, where=f"data.jsonl:{i + 1}")
        made += [Episode.of_answer(asked, 0, k, (1,), (2,), (-0.5,), True, text=t) for k, t in enumerate(texts)]
    return made


def score(rewards, batch, **settings):
    with Scorer([resolve(r) for r in rewards], **settings) as scorer:
        return [r.reward for r in scorer.score(batch)], scorer.metrics()


def test_rollouts_keep_their_order_and_everything_else():
    batch = rollouts(["a", "bb"], ["ccc"])
    mixed = [batch[2], batch[0], batch[1]]
    with Scorer([resolve(f"{F}:length")]) as scorer:
        scored = scorer.score(mixed)
    assert [(r.text, r.reward, r.rewards) for r in scored] == [
        ("ccc", 3.0, {"length": 3.0}),
        ("a", 1.0, {"length": 1.0}),
        ("bb", 2.0, {"length": 2.0}),
    ]
    assert [(r.prompt, r.sample, r.logp) for r in scored] == [(r.prompt, r.sample, r.logp) for r in mixed]
    assert [r.reward for r in mixed] == [None] * 3


def test_the_reward_is_the_weighted_sum_of_those_that_do_not_abstain():
    def shy(completions):
        return [None if c == "a" else 1.0 for c in completions]

    def silent(completions):
        return [None for _ in completions]

    rewards = [{f"{F}:length": 2.0}, Reward("shy", shy, -0.5), silent]
    found, metrics = score(rewards, rollouts(["a", "bb"]))
    assert found == [2.0, 3.5]
    assert metrics == {
        "rewards/length/mean": 1.5,
        "rewards/length/std": pytest.approx(0.5**0.5),
        "errors/reward_length": 0.0,
        "rewards/shy/mean": 1.0,
        "rewards/shy/std": 0.0,
        "errors/reward_shy": 0.0,
        "errors/reward_silent": 0.0,
        "errors/abstained": 0.0,
    }


@pytest.mark.fault("R8")
def test_where_all_abstain_there_is_no_reward_and_it_is_counted():
    found, metrics = score(["exact_match"], rollouts(["a", "b"], columns={"answer": None}))
    assert found == [None, None]
    assert metrics == {"errors/reward_exact_match": 0.0, "errors/abstained": 2.0}


def test_a_reward_of_weight_zero_only_watches():
    batch = rollouts(["a"], columns={"answer": None})
    found, metrics = score(["exact_match", {f"{F}:length": 0.0}], batch)
    assert found == [None]
    assert metrics["rewards/length/mean"] == 1.0
    assert metrics["errors/abstained"] == 1.0


@pytest.mark.fault("R1", "R7")
@pytest.mark.parametrize("order", ["raise x", "sys.exit 0", "os._exit 0", "segfault", "nan", "sleep"])
def test_a_failure_is_no_score_and_leaves_the_others_alone(order, caplog):
    batch = rollouts(["one", order, "three"], ["four", "fiver"])
    with (
        caplog.at_level(logging.WARNING),
        Scorer([resolve(f"{F}:obedient"), resolve(f"{F}:length")], timeout=1.0, max_error_rate=0.5) as scorer,
    ):
        scored = scorer.score(batch)
        metrics = scorer.metrics()
    assert [r.reward for r in scored] == [6.0, None, 10.0, 8.0, 10.0]
    assert scored[1].rewards == {"obedient": None, "length": float(len(order))}
    assert (metrics["errors/reward_obedient"], metrics["errors/reward_length"]) == (1.0, 0.0)
    assert metrics["errors/abstained"] == 0.0
    assert metrics["rewards/obedient/mean"] == 4.25
    assert "reward 'obedient'" in caplog.text


@pytest.mark.fault("R1")
def test_too_many_failures_stop_the_run_with_the_function_the_count_and_the_first_traceback():
    batch = rollouts(["a", "raise first"], ["raise second", "b"])
    with Scorer([resolve(f"{F}:obedient")], max_error_rate=0.3) as scorer, pytest.raises(RewardError) as error:
        scorer.score(batch)
    message = str(error.value)
    assert error.value.exit_code == 6
    assert f"reward 'obedient' ({F}:obedient) failed on 2 of 4 completions" in message
    assert "max_error_rate=0.3" in message
    assert "at data.jsonl:1: reward 'obedient' raised ValueError: first\nTraceback" in message
    assert "in _obey\n    raise ValueError(rest)" in message


def test_the_limit_itself_is_allowed():
    batch = rollouts(["a"] * 18 + ["raise x", "raise y"])
    assert score([f"{F}:obedient"], batch, max_error_rate=0.1)[0] == [1.0] * 18 + [None] * 2
    with pytest.raises(RewardError, match="failed on 2 of 20"):
        score([f"{F}:obedient"], batch, max_error_rate=0.099)


@pytest.mark.parametrize(
    ("function", "said"),
    [
        ("one_for_all", "returned 1 values for 2 completions; return one for each"),
        ("lazy", "returned generator"),
    ],
)
def test_a_wrong_shape_is_not_mended_by_asking_one_by_one(function, said):
    with pytest.raises(RewardError, match=f"reward '{function}'.*failed on 2 of 2.*{said}"):
        score([f"{F}:{function}"], rollouts(["a", "b"]))


def test_a_batch_that_hangs_stops_before_all_of_it_was_tried():
    start = time.monotonic()
    with pytest.raises(RewardError, match="gave no answer within 0.5 s"):
        score([f"{F}:obedient"], rollouts(*[["sleep"] * 4] * 8), timeout=0.5)
    assert time.monotonic() - start < 6  # of 8 * 5 * 0.5 / 2 = 10 s


def test_a_missing_column_names_the_row_and_the_reward():
    with pytest.raises(DataError, match="data.jsonl:1: 'answer' is missing; reward 'exact_match' reads it"):
        score(["exact_match"], rollouts(["a"]))
    with pytest.raises(DataError, match="Columns: level, solution; .*answer: ITS_NAME"):
        score(["exact_match"], rollouts(["a"], columns={"solution": "x", "level": 1}))


def test_functions_get_the_columns_that_they_accept():
    batch = rollouts(["q|x|none"], columns={"answer": "x", "level": 3})
    assert score([f"{F}:words"], batch)[0] == [1.0]
    batch = rollouts(["q|x|y"], columns={"answer": "x", "hint": "y"})
    assert score([f"{F}:words"], batch)[0] == [1.0]
    batch = rollouts(["answerlevelprompts"], columns={"answer": "x", "level": 3})
    assert score([f"{F}:seen"], batch)[0] == [1.0]


def test_settings_reach_the_function():
    batch = rollouts(["aaaa", "aa"])
    assert score([{"path": f"{F}:brevity", "limit": 3}], batch)[0] == [0.0, 1.0]
    assert score([{"path": "regex_format", "pattern": "a{2}"}], batch)[0] == [0.0, 1.0]


@pytest.mark.fault("R2")
def test_a_pattern_that_backtracks_for_ever_is_an_error_of_its_completion():
    batch = rollouts(["aab", "a" * 60, "b"])
    found, metrics = score([{"path": "regex_format", "pattern": "(a+)+b"}], batch, timeout=1.0, max_error_rate=0.5)
    assert found == [1.0, None, 0.0]
    assert metrics["errors/reward_regex_format"] == 1.0


def test_an_error_of_the_setup_stops_at_once():
    with pytest.raises(ConfigError, match=r"'\(' is no regular expression"):
        score([{"path": "regex_format", "pattern": "("}], rollouts(["a"]), max_error_rate=1.0)


@pytest.mark.fault("W10")
def test_scores_do_not_depend_on_the_number_of_workers():
    groups = [[f"{i} " * k for k in range(1, 4)] for i in range(5)]
    groups[2][1] = "raise x"
    rewards = [f"{F}:chance", f"{F}:obedient"]
    results = [score(rewards, rollouts(*groups), workers=n, max_error_rate=0.2) for n in (1, 3)]
    assert results[0] == results[1]
    assert len(set(results[0][0])) == 15  # chance is not the same for everything


@pytest.mark.fault("R5")
def test_the_threads_of_the_trainer_get_the_same_scores():
    batch = rollouts([r"\boxed{\frac12}", r"\boxed{0.51}", "0.5"], columns={"answer": "0.5"})
    found = []
    thread = threading.Thread(
        target=lambda: found.append(score(["math_answer", lambda completions: [0.25] * 3], batch))
    )
    thread.start()
    thread.join()
    assert found[0][0] == [1.25, 0.25, 1.25]
    assert found[0] == score(["math_answer", lambda completions: [0.25] * 3], batch)


def test_one_scorer_serves_several_threads():
    with Scorer([resolve(f"{F}:length")]) as scorer:
        found = {}
        threads = [
            threading.Thread(target=lambda n=n: found.update({n: scorer.score(rollouts(["x" * n]))[0].reward}))
            for n in range(1, 6)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == {n: float(n) for n in range(1, 6)}


@pytest.mark.fault("W9")
def test_no_process_and_no_descriptor_is_left():
    before, descriptors = children(), len(os.listdir("/proc/self/fd"))
    for order in ("a", "sleep", "os._exit 1", "print"):
        score([f"{F}:obedient"], rollouts([order, "b"]), timeout=1.0, max_error_rate=1.0)
        with pytest.raises(RewardError):
            score([f"{F}:obedient"], rollouts(["raise x", "sleep"]), timeout=1.0, max_error_rate=0.0)
    assert children() == before
    assert len(os.listdir("/proc/self/fd")) == descriptors


def here(function, *texts):
    """Score with a function that only this process has."""
    batch = rollouts(list(texts), columns={"tests": ["kept"]})
    found, _ = score([function], batch, workers=0, timeout=0.5, max_error_rate=1.0)
    return found


def test_functions_of_this_process_give_the_scores_of_a_worker():
    assert here(faulty.length, "a", "bb") == [1.0, 2.0]
    assert here(faulty.chance, "a") == here(faulty.chance, "a") != here(faulty.chance, "b")
    assert here(faulty.obedient, "a", "raise x", "sys.exit 0", "stopped", "nan") == [1.0, None, None, None, None]
    assert here(faulty.one_for_all, "a", "b") == [None, None]


@pytest.mark.fault("R2")
def test_functions_of_this_process_end_at_the_deadline():
    start = time.monotonic()
    assert here(faulty.obedient, "a", "sleep", "spin", "redos") == [1.0, None, None, None]
    assert time.monotonic() - start < 4


@pytest.mark.fault("R6")
def test_functions_of_this_process_leave_no_trace():
    tests, folder = ["kept"], os.getcwd()
    state, numpy_state, torch_state = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state()
    batch = rollouts(["a"], columns={"tests": tests})
    assert score([faulty.impolite], batch, workers=0)[0] == [1.0]
    assert tests == ["kept"]
    assert os.getcwd() == folder
    assert random.getstate() == state
    assert np.random.get_state()[1].tolist() == numpy_state
    assert torch.equal(torch.get_rng_state(), torch_state)


def test_the_prompt_is_given_as_plain_text():
    conversation = (
        {"role": "system", "content": "s"},
        {"role": "user", "content": "first"},
        {"role": "assistant", "content": "a"},
        {
            "role": "user",
            "content": [{"type": "text", "text": "la"}, {"type": "image"}, {"type": "text", "text": "st"}],
        },
    )
    batch = rollouts(["last|x|none"], prompt=conversation, columns={"answer": "x"})
    assert score([f"{F}:words"], batch)[0] == [1.0]


def test_an_empty_batch_has_no_metrics():
    with Scorer([resolve(f"{F}:length")]) as scorer:
        assert scorer.score(rollouts(["a"]))[0].reward == 1.0
        assert scorer.score([]) == []
        assert scorer.metrics() == {}


@pytest.mark.parametrize(
    ("rewards", "settings", "said"),
    [
        ([], {}, "at least one reward"),
        ([f"{F}:length", {f"{F}:length": 2.0}], {}, "two rewards are called 'length'"),
        ([{f"{F}:length": 0.0}], {}, "every reward has weight 0"),
        ([f"{F}:length"], {"workers": -1}, "workers is -1"),
        ([f"{F}:length"], {"timeout": 0.0}, "timeout is 0"),
        ([f"{F}:length"], {"timeout": float("nan")}, "timeout is nan"),
        ([f"{F}:length"], {"max_error_rate": 1.5}, "max_error_rate is 1.5"),
    ],
)
def test_a_scorer_that_cannot_be_right(rewards, settings, said):
    with pytest.raises(ConfigError, match=said):
        Scorer([resolve(r) for r in rewards], **settings)
