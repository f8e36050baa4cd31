"""Every folder of the catalogue is a family, with an entry to begin with."""

from posttrain.catalogue import index as catalogue
from posttrain.catalogue.families import FAMILIES


def test_every_folder_is_a_family_and_has_a_start():
    every = {*catalogue.paths(), *catalogue.procedures()}
    assert {path.split("/")[0] for path in every} == {family.folder for family in FAMILIES}
    assert {family.start for family in FAMILIES} <= every
    assert all(family.start.startswith(f"{family.folder}/") for family in FAMILIES)
