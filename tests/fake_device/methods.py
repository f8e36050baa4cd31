"""Formulas on another device: two steps of a method that reads them give the metrics of the processor.

A formula that only combines tensors that it is given is where they are. Tried are those that make tensors or read their
numbers, and what else a method may ask of a run.
"""

import inspect
import json
import re

import pytest

from posttrain.catalogue import index as catalogue
from tests.fake_device.covering import covering
from tests.harness.parts import every_part
from tests.harness.runs import SUMS, metrics, run
from tests.training.test_runs import BRIEF, REWARDS

A_NUMBER_FOR_EACH_TOKEN = {"imitation/inverse_q", "preference/ama"}  # is not in any bundled data
MORE_THAN_A_SCORE = {"online/advpo", "online/group_win_rate"}  # is given by no model that bradley_terry trained
MODELS = {
    "distillation/gkd": "teacher",
    "distillation/on_policy": "teacher",
    "distillation/sampled": "teacher",
    "distillation/soft_targets": "teacher",
    "offline/bpg": "reward",
    "offline/dro": "reward",
    "offline/ilql": "reward",
    "offline/re_control": "reward",
    "online/attention_credit": "reward",
    "online/codpo": "cost",
    "online/crpg": "cost",
    "online/crraft": "cost",
    "online/bspo": "reward",
    "online/potential_shaping": "potential",
    "online/red": "reward",
    "online/rto": "dpo",
    "online/safe_rlhf": "cost",
    "preference/adpo": "reward",
    "preference/dno": "reward",
    "preference/rpo": "reward",
    "preference/spo": "base",
    "preference/svpo": "reward",
}
COLUMNS = {"margin": 0.5, "agreement": 0.8, "tie": 0, "chosen_safe": 1.0, "rejected_safe": 0.0, "reliability": 0.9}
POINTED = {"chosen_highlight": [{"start": 0, "end": 1, "value": 1}], "rejected_highlight": []}
RATED = {"completion": "a", "attributes": [4, 3, None, 1, 0]}
JUDGED_BY = {
    *(
        "preference/bfpo",
        "preference/sr_dpo",
        "preference/sr_ipo",
        "reward/margin",
        "reward/soft_labels",
        "reward/ties",
    ),
    *("reward/attributes", "reward/quantiles", "reward/gaussian", "reward/cost", "reward/crowd_bt"),
    *("reward/soft_margin", "reward/highlights"),
    *("reward/learned_ties", "reward/davidson"),
}
DECIDED = {"prompt": "1+1=", "choices": ["2", "3 4"], "chosen": "2", "reward": 1.0}
OWN_ROWS = {
    "online/glam": DECIDED,
    "online/twosome": DECIDED,
    "reward/harm_categories": {"prompt": "1+1=", "completion": "2", "attributes": [0, 1] * 7},
    "reward/process": {"prompt": "1+1=", "steps": ["one", "two"], "labels": [1, 0]},
}
JUDGED = [
    {"prompt": f"{i}+1=", "chosen": str(i + 1), "rejected": str(i), **COLUMNS, **POINTED, **RATED} for i in range(8)
]


@pytest.fixture(scope="module")
def scored(tmp_path_factory):
    """The folder of a reward model, trained for one step."""
    made = {"model": {"path": "tiny", "dtype": "float64"}, "method": "reward/bradley_terry", "data": SUMS}
    return run(made, tmp_path_factory.mktemp("scored"), *BRIEF, "train.steps=1").model


def content(path, folder, scored):
    """A run file of the method, with what it reads."""
    method = catalogue.load(path)
    made = {"model": {"path": "tiny", "dtype": "float64"}, "method": path, "train": {"steps": 2}}
    if method.passes > 1:
        made["method"] = {"path": path, "passes": 1}
    made["data"] = dict.fromkeys((n for n in method.streams if n != "mismatched"), SUMS)
    if path in JUDGED_BY or path in OWN_ROWS:
        rows = [OWN_ROWS[path]] * 8 if path in OWN_ROWS else JUDGED
        (folder / "judged.jsonl").write_text("\n".join(map(json.dumps, rows)))
        made["data"] = str(folder / "judged.jsonl")
    if path == "online/mixer":
        made["data"] = {"path": SUMS, "columns": {"reference": "answer"}}
    if path == "reward/up_rlhf":
        made["model"]["lora"] = {"rank": 2, "members": 4}
    if path in MODELS:
        role = MODELS[path]
        made["models"] = {role: {"path": "tiny" if role in ("base", "dpo") else str(scored), "dtype": "float64"}}
    if any(stream.sampling for stream in method.streams.values()) and MODELS.get(path) != "reward":
        (folder / "mine.py").write_text(REWARDS)
        made["rewards"] = [f"{folder}/mine.py:{'longer' if 'opponent' in str(method) else 'digits'}"]
    if path == "online/ma_rlhf_phrases":
        made["rewards"].append({"path": "phrases", "weight": 0.0})
    return made


TRIED = sorted(set(catalogue.paths()) - A_NUMBER_FOR_EACH_TOKEN - MORE_THAN_A_SCORE)
MAKES = re.compile(
    r"torch\.(tensor|as_tensor|zeros|ones|full|arange|empty|linspace|eye|rand\w*|Generator)\b|keyed_uniform"
    r"|tolist|\.item\(|\.cpu\(|numpy|\b(float|int)\(|\b_[a-z]\w+\("  # the last: a helper of its file may do so
)


def needs(path):
    """What a method needs that may go wrong on another device."""
    method = catalogue.load(path)
    made = {part.fn for part in every_part(method) if MAKES.search(inspect.getsource(part.fn))}
    asked = {"averages": method.averages, "decoder": method.decoder}
    for stream in method.streams.values():
        asked |= {name: getattr(stream, name) or asked.get(name) for name in ("keep", "view", "choose")}
        for author in stream.sampling:
            asked |= {"guide": author.guide, "drawn by a decoder": author.decoder, "mixture": author.mix[1:]}
    return made | {name for name, value in asked.items() if value}


READ = {path: needs(path) for path in TRIED}


@pytest.mark.parametrize("path", sorted(covering(READ)))
def test_two_steps(path, tmp_path, used, scored):
    found = []
    for there in (False, True):
        used(there)
        found.append(metrics(run(content(path, tmp_path, scored), tmp_path / str(there), *BRIEF)))
    for here, there in zip(*found, strict=True):
        assert there == pytest.approx(here, rel=1e-6, abs=1e-6)
