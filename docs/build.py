"""Write docs/methods.md from the docstrings of the catalogue, docs/faults.md and docs/papers.md."""

from pathlib import Path

import faults
import papers

from posttrain.catalogue import index as catalogue

HEAD = """# Methods

Generated from the docstrings by `python docs/build.py`. `posttrain explain PATH` adds models, tensors and settings.
"""


def page() -> str:
    """The catalogue by kind, methods first, then procedures."""
    entries = [catalogue.entry(path) for path in [*catalogue.paths(), *catalogue.procedures()]]
    kinds = dict.fromkeys(e.kind for e in entries)
    parts = [HEAD, "| kind | files |\n|---|---|\n" + "\n".join(
        f"| [{kind}](#{kind}) | {', '.join(f'`{e.path}`' for e in entries if e.kind == kind)} |" for kind in kinds
    )]  # fmt: skip
    for kind in kinds:
        parts.append(f"\n## {kind}")
        for e in (e for e in entries if e.kind == kind):
            _, _, rest = e.text.partition("\n\n")
            parts.append(f"\n### {e.path}\n\n*{e.title}*\n\n{rest}")
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    Path(__file__).with_name("methods.md").write_text(page(), encoding="utf-8")
    Path(__file__).with_name("faults.md").write_text(faults.page(), encoding="utf-8")
    Path(__file__).with_name("papers.md").write_text(papers.page(), encoding="utf-8")
