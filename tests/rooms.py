"""Which room of the house may import which: the one table. `python docs/build.py` prints it into docs/design.md.

A room is a folder of src/posttrain, or a file at its top. A folder inside a room is a room of its own where it stands
on another floor. What a room may import counts everywhere in a file: inside functions and under TYPE_CHECKING too.
"""

LEAVES = {"errors", "records", "seeds", "turns"}
ROOMS: dict[str, set[str]] = {
    **dict.fromkeys(LEAVES, set()),
    "turns": {"records"},
    "machine": {"errors"},
    "core.maths": {"core"},
    "core": LEAVES | {"core.maths"},
    "formulas": {"core", "core.maths"},
    "config": {"errors"},
    "endpoint": {"errors", "seeds"},
    "sandbox": {"errors", "machine"},
    "catalogue": {"core", "errors", "formulas", "seeds"},
    "convert": {"catalogue", "config", "core", "errors"},
    "data": LEAVES | {"core"},
    "selection": LEAVES | {"data"},
    "methods": {"core", "formulas", "selection"},
    "models": {"core", "core.maths", "errors", "machine", "runs", "seeds"},
    "models.merging": {"catalogue", "core", "errors", "machine", "models", "runs", "seeds"},
    "sampling": {"core", "errors", "models", "records"},
    "backends": {"core", "machine", "models.merging", "records", "sampling"},
    "backends.local": LEAVES | {"backends", "core", "machine", "models", "models.merging", "sampling"},
    "backends.fsdp": LEAVES
    | {"backends", "backends.local", "catalogue", "core", "machine", "models", "models.merging", "sampling"},
    "backends.plans": {"core", "errors"},
    "backends.vllm": LEAVES | {"backends", "sampling"},
    "learners": LEAVES | {"environments.bundled", "catalogue", "evaluation", "sandbox", "search"},
    "rewards": LEAVES | {"catalogue", "rewards.bundled"},
    "judges": LEAVES | {"endpoint"},
    "rewards.bundled": LEAVES | {"endpoint", "judges", "rewards", "roles", "sandbox"},
    "roles": LEAVES | {"core", "data", "endpoint", "judges", "sampling"},
    "environments": LEAVES | {"catalogue", "data", "environments.bundled", "rewards", "sandbox"},
    "environments.bundled": LEAVES
    | {"data", "endpoint", "environments", "judges", "rewards", "rewards.bundled", "sandbox"},
    "search": LEAVES | {"rewards"},
    "runs": LEAVES | {"machine"},
    "viewer": {"errors", "records", "runs"},
    "studio": {"data", "errors", "evaluation", "records", "runs", "seeds", "turns", "viewer"},
    "trackers": {"errors", "records", "turns"},
    "training": LEAVES
    | {"backends", "catalogue", "config", "core", "core.maths", "data", "environments", "machine", "models.merging"}
    | {"evaluation", "learners", "rewards", "roles", "runs", "sampling", "search", "viewer"},
    "procedures": LEAVES
    | {"core", "data", "environments", "evaluation", "formulas", "judges", "learners", "methods", "search", "selection"}
    | {"training"},
    "launch": LEAVES
    | {"backends", "backends.fsdp", "backends.local", "backends.vllm", "catalogue", "config", "core", "data"}
    | {"environments", "evaluation", "machine", "models", "rewards", "roles", "runs", "trackers", "training"}
    | {"viewer"},
    "evaluation": LEAVES,
    "evaluation.compare": LEAVES
    | {"catalogue", "config", "core", "core.maths", "data", "evaluation", "launch", "rewards", "runs", "training"}
    | {"viewer"},
    "evaluation.suites": LEAVES | {"data", "evaluation", "rewards", "rewards.bundled", "roles"},
    "evaluation.tasks": LEAVES
    | {"config", "core", "data", "evaluation", "evaluation.compare", "formulas", "launch", "rewards", "selection"}
    | {"training"},
}
ABOVE_THE_TABLE = {"cli", "__init__", "__main__"}  # may import everything; nothing may import them


def room_of(module: str) -> str:
    """The room that a module (without `posttrain.`) lies in: `evaluation.compare.grid` is in `evaluation.compare`."""
    parts = module.split(".")
    two = ".".join(parts[:2])
    return two if two in ROOMS else parts[0]
