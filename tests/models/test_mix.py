"""The one score of a head of several numbers."""

import pytest
import torch

from posttrain.backends.local.heads import ensure_head
from posttrain.backends.local.learner import LocalLearner
from posttrain.core.vocabulary import Source, When
from posttrain.errors import ModelError
from posttrain.models.loading.load import load
from posttrain.models.loading.save import save
from tests.models.loading.test_classifier import scores_of_transformers
from tests.models.tiny import network, some_rows

MIX = (0.5, -1.0, 2.0)


def mixed():
    made = network()
    made.add_head("score", seed=3, size=3, mix=MIX)
    return made


def test_the_score_is_the_mix_of_the_scores_at_every_prefix():
    net, (tokens, rows) = mixed(), some_rows([5, 9])
    out = net.outputs(tokens, rows, ["score", "scores", "prefix_score"])
    assert out["scores"].shape == (2, 3)
    torch.testing.assert_close(out["score"], out["scores"] @ torch.tensor(MIX, dtype=out["scores"].dtype))
    assert torch.equal(out["prefix_score"][rows.sizes.cumsum(0) - 1], out["score"])


def test_without_a_mix_several_numbers_are_no_score():
    net = network()
    net.add_head("score", seed=3, size=3)
    one = Source("reward", "score", When.ONCE)
    with pytest.raises(ModelError, match="its score head gives 3 numbers, and the method reads 1"):
        ensure_head(net, one, 0, trained=False)
    ensure_head(mixed(), one, 0, trained=False)
    with pytest.raises(ModelError, match="its score head gives 3 numbers, and the method reads 5"):
        ensure_head(mixed(), Source("reward", "scores", When.LIVE, 5, (1.0,) * 5), 0, trained=True)


def test_a_method_that_trains_a_head_gives_it_its_own_mix():
    net = mixed()
    for trained, expected in ((False, MIX), (True, (1.0, 2.0, 3.0))):
        ensure_head(net, Source("reward", "scores", When.LIVE, 3, (1.0, 2.0, 3.0)), 0, trained=trained)
        assert net.heads["score"].mix.tolist() == list(expected)


def test_it_is_saved_restored_and_one_score_in_transformers(tmp_path):
    (tokens, rows), loaded = some_rows([5, 9]), load("tiny")
    loaded.network.add_head("score", seed=3, size=3, mix=MIX)
    expected = loaded.network.outputs(tokens, rows, ["score", "scores"])
    save(loaded.network, loaded.tokenizer, tmp_path)
    again = load(str(tmp_path)).network.outputs(tokens, rows, ["score", "scores"])
    assert all(torch.equal(again[name], x) for name, x in expected.items())
    assert scores_of_transformers(tmp_path).shape == (3,)
    learner = LocalLearner({"reward": load("tiny").network})
    learner.restore({"models": {"reward": loaded.network.state_dict()}, "optimisers": {}, "averages": {}})
    assert torch.equal(learner.models["reward"].outputs(tokens, rows, ["score"])["score"], expected["score"])
