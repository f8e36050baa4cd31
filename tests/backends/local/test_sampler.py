"""The sampler of one process: which engine it uses, and when it drops what the engines have cached."""

import pytest

from posttrain.backends.local.sampler import LocalSampler
from posttrain.errors import ConfigError
from posttrain.sampling.engine import Engine
from posttrain.sampling.hf import HfEngine
from posttrain.sampling.request import Request
from tests.models.tiny import network, padded
from tests.sampling.test_engine import requests, same

STOP = frozenset({5, 9, 11})


def test_every_network_gets_the_engine_that_supports_it():
    unusual = padded().float().eval()
    sampler, asked = LocalSampler({"policy": unusual, "teacher": network()}, STOP), requests(3)
    teacher = Engine({"policy": network()}, STOP).generate(asked)
    same(sampler.generate(asked, (("teacher", 1.0),)), teacher)
    same(sampler.generate(asked), HfEngine({"policy": unusual}, STOP).generate(asked))
    with pytest.raises(ConfigError, match="'polcy'.*did you mean 'policy'"):
        sampler.generate(asked, (("polcy", 1.0),))


def test_both_engines_count_the_same_occupancy():
    sampler = LocalSampler({"policy": padded().float().eval(), "teacher": network()}, frozenset(), slots=2)
    asked = [Request((3, 4), seed, max_tokens) for seed, max_tokens in enumerate((4, 2))]
    sampler.generate(asked)
    sampler.generate(asked, (("teacher", 1.0),))
    assert sampler.metrics() == {"sampling/occupancy": (6 + 6) / (8 + 8)}
    assert sampler.metrics() == {}
