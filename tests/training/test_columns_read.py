from posttrain.catalogue import index as catalogue
from posttrain.rewards.reward import resolve
from posttrain.training.columns_read import by_method, by_rewards


def exact(completions, answer, level=None):
    return [0.0 for _ in completions]


def any_column(completions, **columns):
    return [0.0 for _ in completions]


def test_the_parameters_of_rewards_are_read():
    reads = by_rewards([resolve(exact)])
    assert [reads(c) for c in ("answer", "level", "source")] == [True, True, False]
    assert by_rewards([resolve(exact), resolve(any_column)])("source")
    assert not by_rewards([])("answer")


def test_a_method_reads_the_columns_of_its_loss():
    reads = by_method(catalogue.load("preference/d2po"))
    assert not reads("source")
    reads = by_method(catalogue.load("preference/rpo"))
    assert reads("chosen_reward") or reads("reward") or reads("margin")


def test_a_guide_reads_the_reference():
    from posttrain.catalogue.index import load

    assert by_rewards((), load("online/mixer"))("reference")
    assert not by_rewards((), load("online/mixer"))("answer")
    assert not by_rewards((), load("online/ppo_plus_plus"))("reference")
