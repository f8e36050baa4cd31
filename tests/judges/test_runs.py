"""Judges in whole runs: through the workers, with the run's error count, cache, budget and metrics."""

import pytest

from posttrain.errors import ConfigError, RewardError
from posttrain.rewards.reward import resolve
from posttrain.rewards.scorer import Scorer
from tests.endpoint.server import Server, late, status, think
from tests.harness.runs import SHORT, SUMS, metrics, run, same_bits
from tests.judges.fake import by_length, longer, shown
from tests.rewards.test_scorer import rollouts

CANARY = "sk-canary-0123456789"
BRIEF = [f"{k}={v}" for k, v in {**SHORT, "train.prompts_per_step": 2}.items()]


@pytest.fixture(autouse=True)
def _key(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", CANARY)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)


def content(server, **settings):
    """GRPO with both kinds of judge."""
    endpoint = server.endpoint(budget={"requests": 10_000})
    rewards = [{"path": path, "endpoint": endpoint, **settings} for path in ("judge", "judge_pairs")]
    return {
        "model": "tiny",
        "method": "online/grpo",
        "data": SUMS,
        "rewards": rewards,
        "train": {"steps": 2, "save_every": 1},
        "sampling": {"samples": 3},
        "scoring": {"timeout": 60.0},
    }


def score(server, batch, path="judge", max_error_rate=0.05, **settings):
    reward = resolve({"path": path, "endpoint": server.endpoint(attempts=1), **settings})
    with Scorer([reward], max_error_rate=max_error_rate, timeout=30.0) as scorer:
        return [r.reward for r in scorer.score(batch)], scorer.metrics()


def both(handler, body):
    think(longer if "answer_A" in shown(body) else by_length)(handler, body)


@pytest.mark.fault("J2", "J4")
def test_errors_are_counted_for_each_answer_and_the_others_keep_their_scores():
    def grumpy(handler, body):
        (status(500) if shown(body)["answer"] == "bad" else think(by_length))(handler, body)

    batch = rollouts(["x" * 10, "bad", "x"], ["xxxx"])
    with Server(grumpy) as server:
        found, said = score(server, batch, max_error_rate=0.25)
        asked = len(server.bodies)
        assert found == [1.0, None, 0.0, pytest.approx(1 / 3)]
        assert said["errors/reward_judge"] == 1.0
        assert asked == 4  # one that fails is not tried again with its whole group
        with pytest.raises(RewardError, match=r"reward 'judge' .* failed on 1 of 4 .*status 500") as error:
            score(server, batch)
    assert CANARY not in str(error.value)


@pytest.mark.paper("002:RLAIF")
@pytest.mark.fault("J7")
def test_agreement_is_a_metric():
    def wavering(body):
        """Prefer the longest answer, else the first position."""
        texts = [shown(body)[f"answer_{x}"] for x in "AB"]
        return longer(body) if "xxxx" in texts else {"reason": "", "better": "A"}

    with Server(think(wavering)) as server:
        found, said = score(server, rollouts(["x", "xx", "xxxx"]), "judge_pairs")
    assert found == [0.25, 0.25, 1.0]
    assert said["rewards/judge_pairs/agreement"] == pytest.approx((0.5 + 0.5 + 1.0) / 3)


@pytest.mark.fault("J5")
def test_a_wrong_key_ends_the_run_with_the_code_of_a_reward():
    with Server(status(401, message=f"no such key: {CANARY}")) as server:
        with pytest.raises(RewardError, match="status 401") as error:
            score(server, rollouts(["a", "b"]), max_error_rate=1.0)
    assert CANARY not in str(error.value)
    assert error.value.exit_code == 6


def test_settings_that_are_wrong_end_the_run_as_such():
    with Server(status(500)) as server, pytest.raises(ConfigError, match="endpoint.budget.money needs"):
        score(server, rollouts(["a"]), endpoint=server.endpoint(budget={"money": 1.0}))


@pytest.mark.paper("002:RLAIF")
@pytest.mark.fault("J9", "J10")
def test_a_run_with_judges_is_the_same_for_any_number_of_workers_and_any_order_of_replies(tmp_path):
    def hurried(handler, body):
        late(0.004 * (hash(str(body)) % 5), both)(handler, body)

    with Server(both) as server, Server(hurried) as other:
        one = run(content(server), tmp_path / "one", *BRIEF, "scoring.workers=1")
        two = run(content(other), tmp_path / "two", *BRIEF, "scoring.workers=3")
    assert same_bits(one, two)
    assert metrics(one) == metrics(two)
    last = metrics(one)[-1]
    assert {"rewards/judge/mean", "rewards/judge_pairs/mean", "rewards/judge_pairs/agreement"} <= set(last)
    files = [f for f in tmp_path.rglob("*") if f.is_file()]
    assert [f for f in files if "kept" in f.parts and f.suffix == ".json"]
    assert not [f for f in files if CANARY.encode() in f.read_bytes()]


def test_a_run_whose_budget_is_spent_goes_on_where_it_was_once_it_is_raised(tmp_path):
    with Server(both) as server:
        whole = run(content(server), tmp_path / "whole", *BRIEF)
        needed = len(server.bodies)
        made = content(server)
        small = made["rewards"][0]["endpoint"] = server.endpoint(budget={"requests": needed * 2 // 3})
        made["rewards"][1]["endpoint"] = small
        with pytest.raises(RewardError, match=r"budget.requests=\d+ is spent .* continue with --resume"):
            run(made, tmp_path / "cut", *BRIEF, "name=cut")
        small["budget"]["requests"] = needed
        resumed = run(made, tmp_path / "cut", *BRIEF, "name=cut", resume=True)
        assert len(server.bodies) == 2 * needed  # nothing was asked twice
    assert same_bits(whole, resumed)
    assert metrics(whole) == metrics(resumed)


@pytest.mark.fault("J9")
@pytest.mark.parametrize(
    "endpoint",
    [
        {"model": "m", "api_key": CANARY},
        {"model": "m", "key_variable": CANARY},
        {"model": "m", "url": f"https://user:{CANARY}@host/v1"},
        {"model": "m", "url": f"https://host/v1?key={CANARY}"},
        {"model": "m", "request": {"extra": {"Authorization": f"Bearer {CANARY}"}}},
    ],
    ids=["api_key", "variable", "user", "query", "header"],
)
def test_a_key_in_a_run_file_is_refused_before_anything_is_written(tmp_path, endpoint):
    with Server(both) as server:
        made = content(server) | {"rewards": [{"path": "judge", "endpoint": endpoint}]}
    with pytest.raises(ConfigError, match="holds a key or a password; put it into an environment variable") as error:
        run(made, tmp_path, *BRIEF)
    assert CANARY not in str(error.value)
    assert not list(tmp_path.iterdir())
