"""Conversations keep their keys and values from turn to turn, as long as the weights are the same."""

import pytest

from posttrain.backends.local.learner import LocalLearner
from posttrain.backends.local.sampler import LocalSampler
from posttrain.core.plan import plan
from posttrain.methods.imitation.sft import METHOD as SFT
from posttrain.sampling.engine import Engine
from posttrain.sampling.request import POLICY, Pause, Request
from tests.models.tiny import ARCHITECTURES, network, some_rows
from tests.sampling.test_engine import NEVER, same

USER = (7, 8, 9)  # the message of the user, in each turn


@pytest.fixture
def counted(monkeypatch):
    """A network, and the number of tokens of each forward pass."""

    def make(**settings):
        net, read = network(**settings), []
        states = net.states
        monkeypatch.setattr(net, "states", lambda tokens, *how: read.append(len(tokens)) or states(tokens, *how))
        return net, read

    return make


def turns(engine, count=3, conversations=4, tokens=5, keep=True, seeds=0):
    """The answers of every turn. The next prompt is the whole conversation."""
    prompts = [(3, 4, 5, 6 + i)[: 3 + i % 2] + (10 + i,) * i for i in range(conversations)]
    answers = []
    for turn in range(count):
        asked = [Request(p, seeds + 100 * turn + i, tokens + i % 3, keep=keep) for i, p in enumerate(prompts)]
        answers += (actual := engine.generate(asked))
        prompts = [p + c.tokens + USER for p, c in zip(prompts, actual, strict=True)]
    return answers


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_later_turns_are_the_same_with_and_without_the_cache(architecture):
    cached = turns(Engine({"policy": network(architecture)}, NEVER))
    within = 1e-4 if architecture == "Gemma3Text" else 1e-10
    same(cached, turns(Engine({"policy": network(architecture)}, NEVER), keep=False), within)


def test_a_turn_reads_only_its_new_tokens(counted):
    net, read = counted()
    engine = Engine({"policy": net}, NEVER)
    first = engine.generate([Request((3, 4, 5, 6), 0, 5, keep=True)])[0]
    assert read == [3, 1, 1, 1, 1, 1]
    read.clear()
    engine.generate([Request((3, 4, 5, 6, *first.tokens, *USER), 1, 2)])
    # The last token of the answer, and all of the user's message but its last token.
    assert read == [1 + len(USER) - 1, 1, 1]


def test_samples_of_one_conversation_share_its_cache(counted):
    net, read = counted()
    engine = Engine({"policy": net}, NEVER)
    first = engine.generate([Request((3, 4, 5, 6), 0, 5, keep=True), Request((9, 8, 7), 0, 5), Request((9, 8), 0, 5)])
    prompt = (3, 4, 5, 6, *first[0].tokens, *USER)
    asked = [Request(prompt, i, 4) for i in range(3)]
    read.clear()
    actual = engine.generate(asked)
    assert read[0] == len(USER)
    same(actual, Engine({"policy": network()}, NEVER).generate(asked))


def test_what_was_kept_outlives_other_requests_and_samples_that_share_a_prompt(counted):
    """Of two conversations one goes on with three samples, the other only later: nothing is read again."""
    net, read = counted()
    engine = Engine({"policy": net}, NEVER)
    first = engine.generate([Request((3, 4, 5, 6), i, 5, keep=True) for i in range(2)])
    one, other = ((3, 4, 5, 6, *c.tokens) for c in first)
    read.clear()
    asked = [*(Request(one, i, 3) for i in range(3)), Request(other, 7, 3)]
    actual = [*engine.generate(asked[:3]), *engine.generate(asked[3:])]
    assert read == [3, 3, 3, 1, 1, 1]
    same(actual, Engine({"policy": network()}, NEVER).generate(asked))


@pytest.mark.parametrize("slots", [1, 2, 3])
def test_fewer_slots_than_conversations(slots):
    expected = turns(Engine({"policy": network()}, NEVER), keep=False)
    engine = Engine({"policy": network()}, NEVER, slots)
    same(turns(engine), expected)
    assert len(engine.cache.state()["cached_tokens"]) == slots


def test_more_requests_than_before():
    engine = Engine({"policy": network()}, NEVER)
    turns(engine, conversations=2)
    same(turns(engine, seeds=5), turns(Engine({"policy": network()}, NEVER), keep=False, seeds=5))


@pytest.mark.parametrize("change", ["step", "copy", "restore"])
def test_the_first_token_after_an_update_is_drawn_from_the_new_weights(change):
    net = network()
    learner = LocalLearner({"policy": net, "other": network(seed=3)})
    learner.prepare(plan(SFT))
    saved = LocalLearner({"policy": network(seed=4)})
    saved.prepare(plan(SFT))
    sampler = LocalSampler(learner.models)
    sampler.sync(learner.version, 0)
    first = sampler.generate([Request((3, 4, 5, 6), 0, 5, keep=True)], POLICY)[0]
    asked = [Request((3, 4, 5, 6, *first.tokens, *USER), 1, 4, keep=True)]
    tokens, rows = some_rows([9])
    net.outputs(tokens, rows, ["logp"])["logp"].sum().backward()
    before = sampler.generate(asked, POLICY)
    if change == "step":
        learner.step({"policy": 0.05})
    elif change == "copy":
        learner.copy("other", "policy")
    else:
        learner.restore(saved.state())
    sampler.sync(learner.version, 1)
    after = sampler.generate(asked, POLICY)
    same(after, Engine({"policy": learner.models["policy"]}, NEVER).generate(asked))
    assert after[0].logp[0] != before[0].logp[0]


def test_suspended_answers_are_not_read_again_under_the_same_weights(counted):
    net, read = counted()
    engine = Engine({"policy": net}, NEVER)
    asked = Request((3, 4, 5, 6), 0, 8, keep=True)
    partial = engine.generate([asked], pause=Pause(each=3))[0]
    read.clear()
    engine.generate([Request((3, 4, 5, 6), 0, 8, partial=partial)])
    assert read == [1] * 5


def test_only_requests_with_keep_are_cached():
    engine = Engine({"policy": network()}, NEVER)
    turns(engine, keep=False)
    assert engine.cache is None
    turns(engine)
    engine.forget()
    assert engine.cache is None
