"""Which parameters of a model got weights, with tied ones."""

from torch import nn

from posttrain.backends.vllm.worker.complete import places, tied, without


def model():
    net = nn.ModuleDict({"embed": nn.Embedding(4, 3), "norm": nn.LayerNorm(3), "head": nn.Linear(3, 4, bias=False)})
    net["head"].weight = net["embed"].weight
    return net


def test_half_an_update_is_named():
    where = places(model())
    assert without(where, {"embed.weight", "norm.weight", "norm.bias"}) == []
    assert without(where, {"embed.weight", "norm.weight"}) == ["norm.bias"]
    assert without(where, {"norm.weight", "norm.bias"}) == ["embed.weight", "head.weight"]


def test_layers_that_are_tied_to_loaded_ones_are_found():
    """vLLM packs the weights of a last layer; one that is tied is packed again only if somebody says so."""
    net = model()
    where = places(net)
    assert tied(net, where, {"embed.weight", "norm.weight", "norm.bias"}) == [net["head"]]
    assert tied(net, where, {"norm.weight", "norm.bias"}) == []
    assert tied(net, where, set(where)) == []
