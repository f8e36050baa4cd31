"""An agent over a controller: it overrides where it has cause and may, and is the controller else."""

from __future__ import annotations

import pytest

from posttrain.learners.planning.oversight import DECIDE, UNUSUAL, Agent, alone, compared, proposal, read_phase, watch
from posttrain.learners.speaker import Scripted, Speaker
from posttrain.learners.worlds.crossing import ROADS, Crossing, Traffic

pytestmark = pytest.mark.paper("wang2024yub")
WORLD = Crossing(longest=2)
CONTROLLER = {s: int(s.second > s.first) for s in WORLD.table().states}  # the road where more cars wait
LOOKS = ["count the cars", UNUSUAL, DECIDE]


class Says(Speaker):
    """Calls these tools, then says this."""

    def __init__(self, calls, phase):
        self.calls, self.phase = calls, phase
        self.asked, self.left = [], []

    def answer(self, questions):
        (question,) = questions
        self.asked.append(question)
        if not question.options:
            return [self.phase]
        return [self.left.pop(0) if self.left else None]

    def probabilities(self, questions):
        raise NotImplementedError

    def decide(self, state, calls=4):
        self.left = list(self.calls)
        return Agent(WORLD, CONTROLLER, self, calls).decide(state)


EAST = f"phase: {ROADS[1]}; reason: an ambulance waits"


def test_an_ambulance_is_let_through_against_the_controller():
    made = Says(LOOKS, EAST).decide(Traffic(2, 0, 0, 2))
    assert (made.action, made.overrides, made.refused) == (1, True, False)
    assert made.reason == "an ambulance waits"
    assert made.called == ("count the cars", UNUSUAL)


@pytest.mark.parametrize(("looks", "event"), [(LOOKS, 0), ([DECIDE], 2), (["count the cars"], 2), ([], 0)])
def test_without_a_cause_that_it_has_seen_it_is_the_controller(looks, event):
    made = Says(looks, EAST).decide(Traffic(2, 0, 0, event))
    assert (made.action, made.overrides, made.refused) == (0, False, True)
    assert made.reason == "the controller's proposal"  # and not that of a phase that was refused


def test_no_light_is_green_before_a_blocked_exit():
    assert Says(LOOKS, EAST).decide(Traffic(2, 0, 0, 4)).action == 0
    made = Says(LOOKS, f"phase: {ROADS[0]}; reason: more cars").decide(Traffic(2, 0, 0, 3))
    assert (made.action, made.overrides, made.refused) == (1, True, True)  # the controller's is illegal too
    assert alone(WORLD, CONTROLLER)(Traffic(2, 0, 0, 3)).action == 1
    assert alone(WORLD, CONTROLLER)(Traffic(2, 0, 0, 2)).action == 0


@pytest.mark.parametrize("phase", [None, "I cannot say.", f"{EAST}. Or phase: {ROADS[0]}", f"phase: {ROADS[1]}"])
def test_what_cannot_be_read_is_the_controllers(phase):
    made = Says(LOOKS, phase).decide(Traffic(2, 0, 0, 2))
    assert (made.action, made.overrides, made.refused) == (0, False, False)
    blocked = Says(LOOKS, phase).decide(Traffic(2, 0, 0, 3))  # the controller's is illegal, and nobody named one
    assert (blocked.action, blocked.overrides, blocked.refused) == (1, True, False)


def test_every_random_speaker_stays_legal_and_within_its_calls():
    for accuracy in (0.0, 0.5, 1.0):
        agent = Agent(WORLD, CONTROLLER, Scripted(accuracy), calls=2)
        for state in WORLD.table().states:
            made = agent.decide(state)
            assert WORLD.legal(state, made.action)
            assert len(made.called) <= 2
            assert made.reason


def test_tools_say_what_they_saw_to_the_next_question():
    speaker = Says(["ask the controller", UNUSUAL], EAST)
    speaker.decide(Traffic(2, 1, 0, 2), calls=2)
    assert speaker.asked[1].options == ("count the cars", "read the lights", UNUSUAL, DECIDE)
    assert "The controller proposes green for north-south." in speaker.asked[1].text
    assert "An ambulance waits on the east-west road." in speaker.asked[2].text
    assert len(speaker.asked) == 3
    nothing = Says([], EAST)
    nothing.decide(Traffic(), calls=0)
    assert len(nothing.asked) == 1


def test_the_controller_knows_nothing_of_what_is_unusual():
    assert proposal({Traffic(1, 0, 1): 0}, Traffic(1, 0, 1, 2)) == 0
    assert proposal({}, Traffic(1, 0, 1, 2)) == 1


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("phase: east-west; reason: cars", (1, "cars")),
        ("Phase: NORTH-SOUTH\nReason: it is late", (0, "it is late")),
        ("phase: east-west", None),
        ("reason: cars", None),
        ("phase: left; reason: cars", None),
    ],
)
def test_one_phase_with_a_reason_is_read(text, read):
    assert read_phase(text) == read


def test_an_episode_is_the_mean_of_its_rewards():
    quiet = Crossing(arrivals=(1.0, 0.0), unusual=0.0, longest=2)
    earned, made = watch(quiet, alone(quiet, dict.fromkeys(quiet.table().states, 1)), seed=0, steps=3)
    assert earned == pytest.approx(-(0 + 1 + 2) / 3)
    assert len(made) == 3


def test_an_agent_that_is_right_serves_ambulances_sooner():
    world = Crossing(longest=2, unusual=0.2)
    told = compared(world, Scripted(1.0), [1, 2], steps=80, calls=4, practice=40)
    assert min(x - y for x, y in zip(told.helped, told.alone, strict=True)) > 0.1
    assert 0 < told.numbers["overrides"] < 0.3
    assert told.numbers["calls"] == 4
    assert len(told.kept) == 80
