"""What every file in methods/ must hold to. A new file is found here by itself and needs no line in this one."""

from __future__ import annotations

import ast
import math
import pickle
import re

import pytest
import torch
import yaml

from posttrain.catalogue import index as catalogue
from posttrain.catalogue.configure import configure, settings
from posttrain.core.method import Method
from posttrain.core.parts import settings_of
from posttrain.models.outputs.output import output
from tests.harness import generated
from tests.harness.parts import every_part
from tests.harness.recorder import of_role
from tests.harness.settings import problems

MINE = '''"""A method of my own (Me, 2025).

DPO with a hinge, to show that a file of the user's is treated like one that ships.

    L = max(0, width - beta (s(y_w) - s(y_l)))
"""

from posttrain.core.method import Term, variant
from posttrain.methods.preference.dpo import METHOD as DPO
from posttrain.formulas.losses.scores import log_ratio
from posttrain.core.parts import PerPair, pairwise


def hinge(chosen: PerPair, rejected: PerPair, *, beta: float = 0.1, width: float = 1.0) -> PerPair:
    """max(0, width - β (chosen - rejected))

    Settings:
        beta: pull towards the reference; 0.01 to 0.5.
        width: gap beyond which a pair teaches nothing; above 0.
    """
    return (width - beta * (chosen - rejected)).clamp(min=0)


METHOD = variant(DPO, name="mine", loss=Term(pairwise(hinge, log_ratio)))
'''
PATHS = [*catalogue.paths(), "./mine.py"]


@pytest.fixture(params=PATHS)
def path(request, tmp_path, monkeypatch):
    if request.param == "./mine.py":
        (tmp_path / "mine.py").write_text(MINE)
        monkeypatch.chdir(tmp_path)
    return request.param


@pytest.fixture
def method(path) -> Method:
    return catalogue.load(path)


# ---- what a reader finds


def test_the_name_is_the_file(path, method):
    assert method.name == path.removesuffix(".py").split("/")[-1]


def test_the_docstring_has_title_authors_year_summary_and_formula(path):
    entry = catalogue.entry(path)
    assert re.search(r"\w.* \([^()]*[A-Z][^()]*, (19|20)\d\d\)", entry.title), f"no (Authors, year) in {entry.title!r}"
    assert len(entry.summary) > 20
    assert not entry.summary.startswith(" ")
    formulas = [line for line in entry.text.splitlines() if line.startswith("    ")]
    assert any("=" in line or "←" in line or "∝" in line for line in formulas), "no indented formula"


def test_every_part_says_what_it_computes(method):
    silent = {p.where for p in every_part(method) if not (p.fn.__doc__ or "").strip()}
    assert not silent


def test_every_setting_is_typed_and_explained(method):
    """One line in the docstring of the function that reads it: what it does and which values are sane."""
    assert not sorted({line for p in every_part(method) for line in problems(p.fn)})


def test_metrics_are_measured_with_the_settings_of_the_loss(method):
    """A clip ratio that counts at another clip than the loss uses says nothing about the loss."""
    in_loss: dict[str, set[object]] = {}
    for _, _, key, value in settings(method):
        in_loss.setdefault(key, set()).add(value)
    for name, term in method.metrics.items():
        for p, key, value in settings_of([term.part]):
            assert value in in_loss.get(key, ()), f"metric {name!r}: {p.name}.{key} is {value}, the loss has another"


# ---- what it is made of


def test_it_resolves_with_the_data_that_its_records_bring(method):
    from posttrain.core.plan import plan

    assert plan(method).trained


def test_it_pickles(method):
    copy = pickle.loads(pickle.dumps(method))
    assert copy == method
    assert hash(copy) == hash(method)
    assert copy is not method


def test_its_settings_survive_yaml(method):
    paths = {f"{slot}.{fn}.{key}": value for slot, fn, key, value in settings(method)}
    weights = {f"{n}.weight": t.weight for n, t in method.loss.items() if not isinstance(t.weight, str)}
    reduces = {f"{n}.reduce": t.reduce.name.lower() for n, t in method.loss.items() if t.reduce}
    text = yaml.safe_dump({**paths, **weights, **reduces, "passes": method.passes})
    assert configure(method, yaml.safe_load(text)) == method


def test_every_number_can_be_changed_and_changes_nothing_else(method):
    before = settings(method)
    for slot, fn, key, value in before:
        if isinstance(value, bool) or not isinstance(value, int | float):
            continue
        other = value + 1
        changed = yaml.safe_load(yaml.safe_dump({f"{slot}.{fn}.{key}": other}))
        after = settings(configure(method, changed))
        differing = [(a, b) for a, b in zip(before, after, strict=True) if a != b]
        assert differing
        assert {(a[:3], b[3]) for a, b in differing} == {((slot, fn, key), other)}


def test_a_setting_it_does_not_read_cannot_be_set(method):
    from posttrain.core.parts import PartError

    with pytest.raises(PartError, match="reads no setting"):
        configure(method, {"no_such_setting": 1.0})


# ---- what it does


def gradients(backend):
    steps = [torch.cat([g.flatten() for g in step.values()]) for step in backend.gradients]
    return torch.stack(steps)


def assert_same(ours, theirs, tolerance=1e-10):
    (metrics, backend, _), (other_metrics, other_backend, _) = ours, theirs
    for name, value in metrics.items():
        assert other_metrics[name] == pytest.approx(value, rel=tolerance, abs=1e-12), name
    mine, other = gradients(backend), gradients(other_backend)
    assert mine.abs().max() > 0
    assert (mine - other).norm() <= tolerance * mine.norm()


def test_micro_batches_do_not_show(method):
    """Cut as finely as pairs and groups allow, or all in one: the same loss, metrics and gradients."""
    made = generated.batches(method)
    one = generated.trained(method, made, generated.networks(method, made))
    cut = generated.smallest_cut(method, made)
    assert cut < min(len(b["tokens"]) for b in made.values())
    assert_same(one, generated.trained(method, made, generated.networks(method, made), tokens=cut))
    assert_same(one, generated.trained(method, made, generated.networks(method, made), tokens=2 * cut + 1))


def test_the_order_of_the_rows_does_not_show(method):
    made = generated.batches(method)
    one = generated.trained(method, made, generated.networks(method, made))
    other = generated.shuffled(method, made)
    assert_same(one, generated.trained(method, other, generated.networks(method, made), tokens=40))


def test_the_same_run_twice_is_the_same_bits(method):
    made = generated.batches(method)
    runs = [generated.trained(method, made, generated.networks(method, made), steps=2) for _ in range(2)]
    assert runs[0][0] == runs[1][0]
    assert torch.equal(gradients(runs[0][1]), gradients(runs[1][1]))


def test_it_moves_every_model_that_it_trains(method):
    made = generated.batches(method)
    _, backend, trainer = generated.trained(method, made, generated.networks(method, made))
    for role in trainer.plan.trained:
        assert any(g.abs().max() > 0 for g in of_role(backend.gradients[0], role).values()), role


def test_tokens_outside_the_mask_get_exactly_no_gradient(method):
    """Prompts, the tokens of others inside an answer, and the whole answers of opponents and baselines.

    Actions that were not taken do get one: they are what the one that was taken is compared with.
    """
    made = generated.batches(method, vocabulary=None)
    counted = "written" if method.streams["main"].records == "decisions" else "rows"
    _, backend, trainer = generated.trained(method, made, generated.tables(method, made))
    untrained = torch.cat([b["tokens"][~b[counted].mask] for b in made.values()])
    inside = torch.cat([b["tokens"][b[counted].mask] for b in made.values()])
    touched = 0.0
    for step in backend.gradients:
        for role in trainer.plan.trained:
            for name in set(backend.models[role].tables) - set(backend.models[role].per_row):
                grad = step[f"{role}.tables.{name}"]
                assert (grad[untrained] == 0).all(), f"{role}.{name}"
                touched += float(grad[inside].abs().sum())
    rows_only = all(set(backend.models[r].tables) == set(backend.models[r].per_row) for r in trainer.plan.trained)
    assert touched > 0 or rows_only or reads_only_rows(trainer)


def reads_only_rows(trainer) -> bool:
    wants = [s for (_, _), w in trainer.plan.forwards.items() for s in w.values() if s.model in trainer.plan.trained]
    return all(output(s.output).axes[:1] == "B" for s in wants)


@pytest.mark.fault("N6")
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("scale", [1.0, 1e2, 1e4])
def test_log_probs_as_far_apart_as_ten_thousand_stay_finite(method, scale, dtype):
    torch.set_default_dtype(dtype)  # the fixture puts it back
    made = generated.batches(method, vocabulary=None)
    for seed in range(3):
        metrics, backend, _ = generated.trained(method, made, generated.tables(method, made, scale, seed))
        assert all(math.isfinite(x) for x in metrics.values()), metrics
        assert gradients(backend).isfinite().all()


def test_every_file_of_the_catalogue_is_a_method():
    folder = catalogue.PACKAGE / "methods"
    found = {f.relative_to(folder).with_suffix("").as_posix() for f in folder.rglob("*.py") if f.stem != "__init__"}
    assert set(catalogue.paths()) == found
    assert len(found) >= 19
    assert len({catalogue.load(p).name for p in found}) == len(found)


def test_no_name_defined_in_the_catalogue_is_used_by_a_second_method():
    """What two methods share lives in formulas/; a method imports of another only its METHOD."""
    for p in catalogue.paths():
        for node in ast.walk(ast.parse(catalogue.METHODS.file(p).read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("posttrain.methods."):
                assert {a.name for a in node.names} == {"METHOD"}, f"{p} imports more than METHOD from {node.module}"
