"""The environment protocol: what a class gets by default."""

from posttrain.environments.environment import Action, Environment, Outcome
from posttrain.records import Prompt


class Echo(Environment):
    """Says what it is told."""

    def step(self, action: Action) -> Outcome:
        """Answer with the same words."""
        return Outcome(({"role": "user", "content": action.text},))


def test_a_conversation_begins_with_the_prompt() -> None:
    assert Echo().reset(Prompt(0, "Hello"), seed=1) == ({"role": "user", "content": "Hello"},)
    turns = ({"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"})
    assert Echo().reset(Prompt(0, turns), seed=1) == turns


def test_an_outcome_says_nothing_of_itself() -> None:
    outcome = Echo().step(Action("Hi"))
    assert outcome.reward is None
    assert not outcome.done
    assert Echo().tools() == ()
