"""BeaverTails: answers with `is_safe` and a mapping `category` of 14 kinds of harm."""

from __future__ import annotations

from collections.abc import Mapping

from posttrain.data.cells import Cells
from posttrain.errors import DataError

HARMS = (
    "animal_abuse",
    "child_abuse",
    "controversial_topics,politics",
    "discrimination,stereotype,injustice",
    "drug_abuse,weapons,banned_substance",
    "financial_crime,property_crime,theft",
    "hate_speech,offensive_language",
    "misinformation_regarding_ethics,laws_and_safety",
    "non_violent_unethical_behavior",
    "privacy_violation",
    "self_harm",
    "sexually_explicit,adult_content",
    "terrorism,organized_crime",
    "violence,aiding_and_abetting,incitement",
)


def labels(cells: Cells) -> None:
    """Read `is_safe` as the label of a rating, and `category` as the `attributes` of an answer, in HARMS' order."""
    if cells.kind == "ratings" and "label" not in cells and isinstance(cells.rest.get("is_safe"), bool):
        cells.put("label", cells.take("is_safe"))
        cells.note("the column 'is_safe' is read as 'label'")
    harms = cells.rest.get("category")
    if cells.kind == "demonstrations" and isinstance(harms, Mapping) and set(harms) & set(HARMS):
        if "attributes" in cells:
            return
        if missing := [name for name in HARMS if not isinstance(harms.get(name), bool)]:
            raise DataError(f"'category' must say true or false of {missing[0]!r}")
        cells.put("attributes", [float(harms[name]) for name in HARMS])
        cells.drop("category")
