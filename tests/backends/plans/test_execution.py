"""What a plan costs: by hand, additive and monotone; what does not fit is refused."""

from dataclasses import replace

import pytest

from posttrain.backends.plans.calls import Call, Load, Size, calls_of, known
from posttrain.backends.plans.cluster import Cluster
from posttrain.backends.plans.cost import Mesh, flops, kv_bytes, memory, seconds
from posttrain.backends.plans.execution import ExecutionPlan, Problem
from posttrain.core.plan import plan
from posttrain.errors import ConfigError
from posttrain.methods.online.ppo import METHOD as PPO

pytestmark = pytest.mark.paper("mei2024eqt")
SIZE = Size(1e9, 10, 1000, 200)
LOAD = Load(answers=64, prompt=100, answer=300)
CLUSTER = Cluster(hosts=2, devices=4, flops=100.0, memory=80.0, bandwidth=1000.0, inside=100.0, between=10.0)
READ, TRAIN = Call("read reference", "reference", "read"), Call("train policy", "policy", "train")
WRITE = Call("generate policy", "policy", "generate")


def test_flops_and_bytes_by_hand():
    assert flops(SIZE, 3, 200) == 3 * (2e9 + 4 * 10 * 1000 * 200)
    assert kv_bytes(SIZE) == 2 * 10 * 200 * 2
    work = flops(SIZE, 64 * 400, 200)
    assert seconds(READ, SIZE, LOAD, Mesh(0, 1), CLUSTER) == pytest.approx(work / 1e14)
    assert seconds(READ, SIZE, LOAD, Mesh(0, 2), CLUSTER) == pytest.approx(work / 2e14)
    assert seconds(READ, SIZE, LOAD, Mesh(0, 1, 1, 2), CLUSTER) == pytest.approx(work / 2e14 * 9 / 8)
    states = 2 * 10 * 64 * 400 * 1000 * 2  # two all-reduces of a layer's states between two devices
    assert seconds(READ, SIZE, LOAD, Mesh(0, 1, 2), CLUSTER) == pytest.approx(work / 2e14 + states / 1e11)
    gathered = 3 * 2e9 / 2 / 1e11
    assert seconds(TRAIN, SIZE, LOAD, Mesh(0, 2), CLUSTER) == pytest.approx(3 * work / 2e14 + gathered)
    assert seconds(TRAIN, SIZE, LOAD, Mesh(3, 2), CLUSTER) == pytest.approx(3 * work / 2e14 + 10 * gathered)
    assert memory(READ, SIZE, LOAD, Mesh(0, 2, 2)) == pytest.approx(1.0)
    assert memory(WRITE, SIZE, LOAD, Mesh(0, 2)) == pytest.approx(2.0 + 32 * 400 * 8000 / 1e9)


def test_decoding_is_bound_by_memory_until_there_are_many_answers():
    """A step reads the weights once, and the keys and values of every answer."""
    few, many = Load(1, 1, 100), Load(4096, 1, 100)
    moved = 2e9 + kv_bytes(SIZE) * 51
    assert seconds(WRITE, SIZE, few, Mesh(0, 1), CLUSTER) == pytest.approx(100 * moved / 1e12, rel=1e-3)
    work = 100 * flops(SIZE, 4096, 51) + flops(SIZE, 4096, 0.5)  # a token attends to all before it
    assert seconds(WRITE, SIZE, many, Mesh(0, 1), CLUSTER) == pytest.approx(work / 1e14, rel=1e-9)
    long = Load(4096, 1000, 100)
    work = 100 * flops(SIZE, 4096, 1050) + flops(SIZE, 4096 * 1000, 500)
    fast = replace(CLUSTER, bandwidth=1e6)
    assert seconds(WRITE, SIZE, long, Mesh(0, 1), fast) == pytest.approx(work / 1e14, rel=1e-9)


def test_stages_do_not_read_the_weights_of_a_token_faster_and_matrices_that_are_divided_do():
    few = Load(1, 1, 100)
    alone, matrices, stages = (
        seconds(WRITE, SIZE, few, m, CLUSTER) for m in (Mesh(0, 1), Mesh(0, 1, 2), Mesh(0, 1, 1, 2))
    )
    assert stages == pytest.approx(alone, rel=1e-2)
    assert matrices == pytest.approx(alone / 2, rel=1e-2)


@pytest.mark.parametrize("call", [READ, TRAIN, WRITE])
def test_more_work_takes_longer_and_faster_devices_do_not(call):
    base = seconds(call, SIZE, LOAD, Mesh(0, 2, 2), CLUSTER)
    assert seconds(call, SIZE, replace(LOAD, answers=128), Mesh(0, 2, 2), CLUSTER) > base
    assert seconds(call, replace(SIZE, parameters=2e9), LOAD, Mesh(0, 2, 2), CLUSTER) > base
    for faster in ({"flops": 200.0}, {"bandwidth": 2e3}, {"inside": 200.0}, {"between": 20.0}):
        assert seconds(call, SIZE, LOAD, Mesh(0, 2, 2), replace(CLUSTER, **faster)) <= base


def problem(*calls, cluster=CLUSTER):
    return Problem(calls, known(calls, {"policy": SIZE}), LOAD, cluster)


def test_calls_on_other_devices_run_together_and_on_the_same_in_turn():
    two = problem(READ, replace(READ, name="read reward", role="reward"))
    together = ExecutionPlan(two, {"read reference": Mesh(0, 1), "read reward": Mesh(1, 1)})
    in_turn = ExecutionPlan(two, {"read reference": Mesh(0, 1), "read reward": Mesh(0, 1)})
    assert in_turn.seconds == pytest.approx(2 * together.seconds)
    assert together.bubbles == pytest.approx(1 - 2 / 8)
    assert in_turn.memory[0] == pytest.approx(4.0)
    assert together.memory[0] == pytest.approx(2.0)


def test_parameters_that_move_take_time_and_later_calls_wait_for_earlier_ones():
    step = problem(WRITE, replace(TRAIN, after=("generate policy",)))
    apart = ExecutionPlan(step, {"generate policy": Mesh(0, 2), "train policy": Mesh(4, 4)}).timeline
    assert apart[1].begin == pytest.approx(apart[0].end + apart[1].moved)
    assert apart[0].moved == pytest.approx(2e9 / 1e10)  # all weights, from the other host
    assert apart[1].moved == pytest.approx(2e9 / 4 / 1e10)
    same = ExecutionPlan(step, {"generate policy": Mesh(0, 1), "train policy": Mesh(0, 1)}).timeline
    assert [span.moved for span in same] == [0.0, 0.0]


def test_the_calls_of_ppo():
    calls = calls_of(plan(PPO, {"main": {"reward", *PPO.streams["main"].kind.tensors}}), samples=True)
    assert [call.name for call in calls] == [
        "generate policy", "read critic", "read policy", "read reference", "train critic", "train policy",
    ]  # fmt: skip
    assert set(calls[-1].after) == {"generate policy", "read critic", "read policy", "read reference"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"host": 2}, "no key 'host' .did you mean 'hosts'"),
        ({"memory": "80GB"}, "expected a number"),
        ({"flops": 0}, "must be above 0"),
        ({"flops": 989e12}, "flops is in TFLOP/s"),
    ],
)
def test_a_cluster_that_makes_no_sense_is_refused(content, words):
    with pytest.raises(ConfigError, match=words):
        Cluster.of(content)
