"""Four answers to one prompt: rewards 1, 0, 0, 3 and lengths 2, 4, 1, 3; and parts of methods on their own."""

from posttrain.core.method import variant
from tests.harness.numbers import answer, step

REWARDS, LENGTHS = (1.0, 0.0, 0.0, 3.0), (2, 4, 1, 3)


def group(rewards=REWARDS, lengths=LENGTHS, prompt=0, author=0, train=True, **values):
    """Answers on policy: every token has log-prob -1 for everybody, where nothing else is said."""
    same = dict.fromkeys(("logp", "old_logp", "ref_logp", "rollout_logp"), -1.0) | {"old_value": 0.0, "value": 0.0}
    whole = {"group": prompt, "author": author, "ended": True}
    return [
        answer(train, **{n: [x] * length for n, x in (same | values).items()}, reward=r, **whole)
        for r, length in zip(rewards, lengths, strict=True)
    ]


def flat(tokens):
    return [x for row in tokens for x in row]


def per_answer(tokens):
    """The one value that all tokens of an answer share."""
    assert all(x == row[0] for row in tokens for x in row)
    return [row[0] for row in tokens]


def only_policy(method):
    """The policy term alone, with advantages and ratios that the test gives."""
    kept = {n: m for n, m in method.metrics.items() if n.startswith("clip_ratio")}
    return variant(method, derived={}, loss={"policy": method.loss["policy"]}, metrics=kept, minibatches=1, passes=1)


def at_ratio(method, log_ratio, advantage):
    """The policy term of one answer: log-ratios of its tokens and one advantage."""
    n = len(log_ratio)
    one = answer(logp=[-9.0 + x for x in log_ratio], old_logp=[-9.0] * n, advantage=[advantage] * n, reward=0.0)
    return step(only_policy(method), one)
