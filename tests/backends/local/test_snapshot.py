"""The copy of a moment: the same numbers, shared where they were shared, and untouched by what comes after."""

from __future__ import annotations

import torch
from torch import nn

from posttrain.backends.local.snapshot import Copies, view_of


class Tied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding, self.output = nn.Embedding(5, 3), nn.Linear(3, 5, bias=False)
        self.output.weight = self.embedding.weight
        self.register_buffer("places", torch.arange(4.0))


def test_later_changes_do_not_reach_it() -> None:
    module, moment = Tied(), torch.tensor([1.0, -0.0, float("nan")])
    before = {n: x.clone() for n, x in module.state_dict().items()}
    state, copied = Copies().take(
        {"adam": [{"exp_avg": moment, "step": 3}], "models": dict(module.state_dict())}, module
    )
    with torch.no_grad():
        moment.fill_(7)
        for x in (*module.parameters(), *module.buffers()):
            x.fill_(7)
    assert state["adam"][0]["step"] == 3
    assert state["adam"][0]["exp_avg"].view(torch.int32).tolist() == [1065353216, -2147483648, 2143289344]
    for held in (state["models"], copied.state_dict()):
        assert held.keys() == before.keys()
        assert all(torch.equal(x, before[n]) for n, x in held.items())


def test_what_shares_memory_is_copied_once() -> None:
    module = Tied()
    state, copied = Copies().take({"a": module.embedding.weight, "b": module.state_dict()["output.weight"]}, module)
    assert copied.output.weight is copied.embedding.weight
    assert {x.data_ptr() for x in (state["a"], state["b"], copied.embedding.weight)} == {state["a"].data_ptr()}
    assert state["a"].data_ptr() != module.embedding.weight.data_ptr()


def test_views_of_one_memory_that_differ_stay_apart() -> None:
    whole = torch.arange(6.0)
    views = [whole, whole[:3], whole[3:], whole.view(2, 3), whole.view(2, 3).t(), whole.view(torch.int32)]
    assert len({view_of(v) for v in views}) == 6
    assert view_of(whole[:3]) == view_of(whole.narrow(0, 0, 3))
    state, _ = Copies().take(views, nn.Identity())
    assert all(torch.equal(a, b) and a.stride() == b.stride() for a, b in zip(state, views, strict=True))
    one, two = torch.empty(0), torch.empty(0)
    assert view_of(one) != view_of(two)


def test_the_memory_is_used_again() -> None:
    copies, x = Copies(), torch.ones(4)
    first, _ = copies.take({"x": x}, nn.Identity())
    x.add_(1)
    second, _ = copies.take({"x": x}, nn.Identity())
    assert first["x"] is second["x"]
    assert second["x"].tolist() == [2, 2, 2, 2]
    copies.take({}, nn.Identity())
    assert copies._memory == {}


def test_a_copied_module_computes_the_same_and_wants_no_gradient() -> None:
    module = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    _, copied = Copies().take({}, module)
    x = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    assert torch.equal(module(x), copied(x))
    assert not [p for p in copied.parameters() if p.requires_grad]
    assert all(p.requires_grad for p in module.parameters())
