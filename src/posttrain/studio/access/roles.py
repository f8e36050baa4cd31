"""Three roles. An annotator sees the desk alone: whoever sees the runs knows which model wrote an answer."""

from __future__ import annotations

OWNER, VIEWER, ANNOTATOR = "owner", "viewer", "annotator"
ROLES = (OWNER, VIEWER, ANNOTATOR)

LOOK = frozenset({OWNER, VIEWER})  # at runs and samples
JUDGE = frozenset({OWNER, ANNOTATOR})  # answers, at the desk
OWN = frozenset({OWNER})  # projects, exports and accounts
EVERYBODY = frozenset(ROLES)
