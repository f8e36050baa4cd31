"""Actions that try environments: good ones fit the schemas, hostile ones are many and strange."""

from typing import Literal

from posttrain.environments.environment import Call
from posttrain.environments.tools.call import Toolbox
from posttrain.environments.trial.actions import hostile, ordinary


def plan(
    place: str,
    days: int,
    hot: bool,
    level: Literal["low", "high"],
    stops: list[tuple[int, str]],
    either: list[int] | str | None = None,
    rest: dict[str, float] | None = None,
) -> str:
    """Plan."""
    return "planned"


BOX = Toolbox([plan], seconds=0)


def test_ordinary_calls_fit_the_schema():
    actions = ordinary(BOX.schemas, 3, 60)
    results = [BOX.call(call) for action in actions for call in action.calls]
    assert {r.text for r in results} == {"planned"}
    assert 30 < len(results) < 60
    assert actions == ordinary(BOX.schemas, 3, 60) != ordinary(BOX.schemas, 4, 60)
    assert all(not action.calls and action.text for action in ordinary([], 1, 9))


def test_hostile_calls_are_answered_by_a_toolbox():
    results = [BOX.call(call) for action in hostile(BOX.schemas) for call in action.calls]
    assert all(result.failed in ("unknown", "arguments") for result in results)
    assert len(results) >= 12
    assert Call("__class__", {}) in [call for action in hostile([]) for call in action.calls]
