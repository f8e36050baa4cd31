"""Names are paths."""

import pickle
import subprocess
import sys

import pytest

from posttrain.catalogue import index as catalogue
from posttrain.core.method import Method
from posttrain.errors import ConfigError
from posttrain.methods.preference.dpo import METHOD as DPO

MINE = '''"""My method (me, 2025).

DPO with more force.
It is in two lines.

    L = ...
"""
from dataclasses import replace
from posttrain.core.method import Term
from posttrain.methods.preference.dpo import METHOD as DPO
from posttrain.formulas.losses.scores import log_ratio
from posttrain.core.parts import PerPair, pairwise

def twice(chosen: PerPair, rejected: PerPair) -> PerPair:
    return 2 * (rejected - chosen)

METHOD = replace(DPO, name="mine", loss=Term(pairwise(twice, log_ratio)))
'''


def write(folder, text, name="mine.py"):
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


class TestShipped:
    def test_every_path_is_a_file_that_loads(self):
        assert "preference/dpo" in catalogue.paths()
        for path in catalogue.paths():
            assert isinstance(catalogue.load(path), Method)

    def test_the_same_object_as_the_import(self):
        assert catalogue.load("preference/dpo") is DPO

    def test_the_end_of_a_path_is_enough_where_only_one_file_has_it(self):
        assert catalogue.load("dpo") is DPO
        assert catalogue.entry("raft").path == "rounds/raft"
        with pytest.raises(ConfigError, match="a method and a procedure: write preference/spac or games/spac"):
            catalogue.entry("spac")

    def test_an_entry_is_read_from_the_docstring(self):
        made = catalogue.entry("preference/dpo")
        assert made.kind == "preference"
        assert made.title.startswith("Direct Preference Optimization: Your Language Model")
        assert made.title.endswith("2023)")
        assert made.summary.startswith("The Bradley-Terry likelihood")
        assert "log σ" in made.text

    def test_listing_the_catalogue_loads_no_torch(self):
        code = (
            "import sys; from posttrain.catalogue import index as c; [c.entry(p) for p in c.paths()]; "
            "print('torch' in sys.modules)"
        )
        made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert made.stdout.strip() == "False"


class TestYours:
    def test_a_file_is_a_method(self, tmp_path):
        method = catalogue.load(str(write(tmp_path, MINE)))
        assert method.name == "mine"
        assert method.loss["loss"].part.name == "twice"

    def test_it_is_looked_for_beside_the_run_file(self, tmp_path):
        write(tmp_path, MINE)
        assert catalogue.load("mine.py", tmp_path).name == "mine"

    def test_it_is_run_once_and_pickles(self, tmp_path):
        path = str(write(tmp_path, MINE))
        method = catalogue.load(path)
        assert catalogue.load(path) is method
        assert pickle.loads(pickle.dumps(method)) == method

    def test_two_files_of_one_name_are_two_methods(self, tmp_path):
        (tmp_path / "a").mkdir()
        one = catalogue.load(str(write(tmp_path, MINE)))
        two = catalogue.load(str(write(tmp_path / "a", MINE.replace('"mine"', '"other"'))))
        assert (one.name, two.name) == ("mine", "other")

    def test_its_entry(self, tmp_path):
        made = catalogue.entry(str(write(tmp_path, MINE)))
        assert (made.kind, made.title) == ("yours", "My method (me, 2025)")
        assert made.summary == "DPO with more force. It is in two lines."


class TestErrors:
    @pytest.mark.parametrize("name", ["preference/dpp", "dpop_", "prefrence/dpo"])
    def test_an_unknown_name_gets_a_suggestion(self, name):
        for ask in (catalogue.load, catalogue.entry):
            with pytest.raises(ConfigError, match=r"no method .*did you mean '(preference/)?dpop?'.*posttrain methods"):
                ask(name)

    @pytest.mark.parametrize("name", ["../train", "preference/__init__", "preference", ""])
    def test_only_methods_are_methods(self, name):
        for ask in (catalogue.load, catalogue.entry):
            with pytest.raises(ConfigError, match="no method"):
                ask(name)

    def test_a_file_that_does_not_exist(self, tmp_path):
        with pytest.raises(ConfigError, match=r"method file .*absent.py does not exist"):
            catalogue.load(str(tmp_path / "absent.py"))
        with pytest.raises(ConfigError, match=r"method file .*absent.py does not exist"):
            catalogue.entry(str(tmp_path / "absent.py"))

    def test_a_file_without_method(self, tmp_path):
        with pytest.raises(ConfigError, match=r"defines no METHOD; write METHOD = Method"):
            catalogue.load(str(write(tmp_path, "METHODS = 1")))

    def test_a_method_that_is_none(self, tmp_path):
        with pytest.raises(ConfigError, match=r"METHOD is a str, not a Method"):
            catalogue.load(str(write(tmp_path, "METHOD = 'dpo'")))

    @pytest.mark.fault("F4")
    def test_a_file_that_fails_names_itself_and_may_be_tried_again(self, tmp_path):
        path = write(tmp_path, "1 / 0")
        with pytest.raises(ConfigError, match=r"mine.py fails at import: ZeroDivisionError: division by zero"):
            catalogue.load(str(path))
        write(tmp_path, MINE)
        assert catalogue.load(str(path)).name == "mine"

    def test_a_wrong_method_keeps_its_own_message(self, tmp_path):
        wrong = MINE.replace("pairwise(twice, log_ratio)", "twice")
        with pytest.raises(ConfigError, match=r"mine: loss 'loss', twice \(mine.py:\d+\): .*Use pairwise"):
            catalogue.load(str(write(tmp_path, wrong)))
