"""Write the generated pages of docs/: methods.md from the catalogue, and the pages of the modules beside this one."""

from pathlib import Path

import claim_table
import faults
import key_tables
import method_settings
import papers
import room_table
import run_file

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
            parts.append(f"\n### {e.path}\n\n*{e.title}*\n\n{rest}{method_settings.table(e.path, e.kind)}")
    return "\n".join(parts) + "\n"


def pages() -> dict[str, str]:
    """Every generated page by its name; design.md and from_*.md are written by hand but for their tables."""
    design, trl, verl, openrlhf = (
        Path(__file__).with_name(name).read_text(encoding="utf-8")
        for name in ("design.md", "from_trl.md", "from_verl.md", "from_openrlhf.md")
    )
    return {
        "methods.md": page(),
        "claims.md": claim_table.page(),
        "faults.md": faults.page(),
        "papers.md": papers.page(),
        "run_file.md": run_file.page(),
        "design.md": room_table.written(design),
        "from_trl.md": key_tables.written(trl, key_tables.of_trl()),
        "from_verl.md": key_tables.written(verl, key_tables.of_verl()),
        "from_openrlhf.md": key_tables.written(openrlhf, key_tables.of_openrlhf()),
    }


if __name__ == "__main__":
    for name, text in pages().items():
        Path(__file__).with_name(name).write_text(text, encoding="utf-8")
