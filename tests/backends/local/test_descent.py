"""One trunk for all roles with adapters: what they compute is what separate models compute."""

import copy

import pytest
import torch

from posttrain.backends.local.descent import ancestor_of, apart, descendant, frozen, twin
from posttrain.backends.local.learner import LocalLearner
from posttrain.core.method import MAIN
from posttrain.core.plan import plan
from posttrain.methods.imitation.sft import METHOD as SFT
from posttrain.methods.online.aggrevated import METHOD as AGGREVATED
from posttrain.methods.online.ppo import METHOD as PPO
from posttrain.models.adapters import merge, trained_parameters
from posttrain.models.lora import add_lora
from posttrain.training.trainer import Trainer
from tests.backends.contract import batch
from tests.models.tiny import network, some_rows

pytestmark = [pytest.mark.usefixtures("float64"), pytest.mark.paper("000:[82]", "sidahmed20244mc", "sidahmed2024ikf")]
OUTPUTS = {"policy": "logp", "reward": "score", "critic": "value"}


def model(dtype=torch.float64, seed=0):
    """Adapters of random numbers, so that they change what the model computes."""
    net = network(seed=seed)
    net.trunk.to(dtype)
    net.add_head("score", seed=1)
    add_lora(net, rank=2, alpha=4)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, p in net.named_parameters():
            if "lora_B" in name:
                p.copy_(torch.randn(p.shape, generator=generator) / 3)
    return net


def outputs(net, name):
    tokens, rows = some_rows([5, 9, 3])
    return net.outputs(tokens, rows, [name])[name].detach()


def memory(*modules):
    """Bytes of all weights, those that several modules share counted once."""
    every = {p.data_ptr(): p.numel() * p.element_size() for m in modules for p in m.parameters()}
    return sum(every.values())


def test_a_twin_shares_what_is_frozen_and_nothing_else():
    one = model()
    two = twin(one)
    shared = {n for n, p in two.named_parameters() if p is dict(one.named_parameters())[n]}
    assert shared == set(frozen(one)) == set(dict(one.named_parameters())) - set(trained_parameters(one))
    assert memory(one, two) - memory(one) == sum(8 * p.numel() for p in trained_parameters(two).values())
    for name in ("logp", "score"):
        assert torch.equal(outputs(one, name), outputs(two, name))


def test_a_model_without_adapters_is_copied_whole():
    one = network()
    two = twin(one)
    assert not frozen(one)
    assert memory(one, two) == 2 * memory(one)


def hydra(copied):
    """Policy, reference, reward model and critic of one model, as PPO makes them; then the policy is trained."""
    learner = LocalLearner({"policy": model()})
    learner.copy("policy", "reward")
    if copied:
        learner.models["reward"] = copy.deepcopy(model())
    learner.prepare(plan(PPO))
    if copied:
        learner.models["critic"] = copy.deepcopy(learner.models["critic"])
    start = {role: outputs(learner.models[role], out) for role, out in OUTPUTS.items()}
    reference = outputs(learner.models["reference"], "logp")
    trainer = Trainer(plan(SFT), learner, rates=lambda _: {"policy": 1e-2})
    for _ in range(2):
        trainer.train({MAIN: batch()})
    return learner, start, reference


def test_four_roles_on_one_trunk_compute_what_separate_models_do():
    shared, start, reference = hydra(copied=False)
    separate, other_start, other_reference = hydra(copied=True)
    assert torch.equal(reference, other_reference)
    assert torch.equal(reference, outputs(network(), "logp"))  # its adapters are off
    for role, name in OUTPUTS.items():
        assert torch.equal(start[role], other_start[role])
        assert torch.equal(outputs(shared.models[role], name), outputs(separate.models[role], name))


def test_training_one_role_leaves_the_others_bit_for_bit():
    learner, start, reference = hydra(copied=False)
    assert not torch.equal(outputs(learner.models["policy"], "logp"), start["policy"])
    assert torch.equal(outputs(learner.models["reward"], "score"), start["reward"])
    assert torch.equal(outputs(learner.models["critic"], "value"), start["critic"])
    assert torch.equal(outputs(learner.models["reference"], "logp"), reference)


def test_four_roles_take_one_trunk_and_three_sets_of_adapters():
    shared, _, _ = hydra(copied=False)
    separate, _, _ = hydra(copied=True)
    trunk = sum(8 * p.numel() for p in frozen(shared.models["policy"]).values())
    roles = ("policy", "reward", "critic")
    one, three = (memory(*(learner.models[r] for r in roles)) for learner in (shared, separate))
    assert three - one == 2 * trunk


def test_the_share_that_is_trained_is_counted():
    learner, _, _ = hydra(copied=False)
    trained, whole = learner.sizes("policy")
    assert trained == sum(p.numel() for n, p in model().named_parameters() if "lora_" in n or n.startswith("heads."))
    assert whole == sum(p.numel() for p in model().parameters())
    assert LocalLearner({"policy": network()}).sizes("policy")[0] == sum(p.numel() for p in network().parameters())


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_moving_a_part_of_the_way_moves_the_adapters_alone(dtype):
    learner = LocalLearner({"policy": model(dtype)})
    learner.copy("policy", "average")
    with torch.no_grad():
        for p in trained_parameters(learner.models["policy"]).values():
            p.add_(1.0)
    before = {n: p.clone() for n, p in frozen(learner.models["policy"]).items()}
    learner.copy("policy", "average", 0.25)
    assert all(torch.equal(p, before[n]) for n, p in frozen(learner.models["average"]).items())
    moved = trained_parameters(learner.models["average"])
    for name, p in trained_parameters(model(dtype)).items():
        torch.testing.assert_close(moved[name], p + 0.25)


def test_moving_towards_another_trunk_leaves_those_who_shared_it():
    learner = LocalLearner({"policy": model(), "other": model(seed=5)})
    learner.copy("policy", "average")
    before = outputs(learner.models["policy"], "logp")
    learner.copy("other", "average", 0.5)
    assert torch.equal(outputs(learner.models["policy"], "logp"), before)
    assert not torch.equal(outputs(learner.models["average"], "logp"), before)
    one = model()
    assert apart(one, twin(one)) is one


@pytest.mark.parametrize("name", ["score", "value"])
def test_merged_reward_models_and_critics_give_the_same_numbers(name):
    net = model()
    net.add_head("value", seed=3)
    before = outputs(net, name)
    merge(net)
    torch.testing.assert_close(outputs(net, name), before, rtol=0, atol=1e-10)


def test_a_state_restores_roles_on_one_trunk():
    learner, _, _ = hydra(copied=False)
    state, before = learner.state(), outputs(learner.models["policy"], "logp")
    other = LocalLearner({"policy": model()})
    other.copy("policy", "reward")
    other.prepare(plan(PPO))
    other.restore(state)
    assert torch.equal(outputs(other.models["policy"], "logp"), before)
    assert torch.equal(outputs(other.models["reward"], "score"), outputs(learner.models["reward"], "score"))


def test_a_guide_starts_as_the_policy_and_its_critic_as_the_reward_model():
    planned = plan(AGGREVATED)
    models = {"policy": object(), "reward": object()}
    assert ancestor_of(planned, "guide", models) == "policy"
    assert ancestor_of(planned, "guide_critic", models) == "reward"
    assert ancestor_of(planned, "guide_critic", {"policy": object()}) == "policy"
    assert not any(p.requires_grad for p in descendant(torch.nn.Linear(1, 1), "guide").parameters())
