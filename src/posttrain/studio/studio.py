"""What every page needs: the runs, their metrics, the database, the sessions and the templates."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from posttrain.runs.reader import RunReader
from posttrain.studio.access.accounts import Accounts
from posttrain.studio.access.sessions import Sessions
from posttrain.studio.access.throttle import Throttle
from posttrain.studio.annotation.store import Store
from posttrain.studio.database import Database
from posttrain.studio.folders import Folders
from posttrain.studio.samples import Samples
from posttrain.studio.series import Series
from posttrain.studio.shown import figure, messages, shown
from posttrain.viewer.report import title

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

HERE = Path(__file__).parent
FILE = "studio.sqlite"


class Studio:
    """One studio. `annotations`: the folder that it writes to; `login`: people enter by accounts with passwords."""

    def __init__(self, folders: Folders, annotations: Path | None = None, *, login: bool = False) -> None:
        self.folders = folders
        self.annotations = annotations or folders.annotations
        self.login = login
        self.series = Series()
        self.samples = Samples()
        self.sessions = Sessions()
        self.throttle = Throttle()
        self._titles: dict[tuple[Path, int], str] = {}
        self.templates = Environment(
            loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
        )
        self.templates.filters.update(shown=shown, number=figure, messages=messages)

    @cached_property
    def database(self) -> Database:
        """The database, made when it is first needed: looking at runs writes nothing."""
        return Database(self.annotations / FILE)

    @cached_property
    def store(self) -> Store:
        """The projects of the desk."""
        return Store(self.database)

    @cached_property
    def accounts(self) -> Accounts:
        """The accounts with passwords."""
        return Accounts(self.database)

    def title(self, run: RunReader) -> str:
        """Return what a run trains: its method and model. A file that has not changed is read once."""
        file = run.folder / "config.yaml"
        key = (file, file.stat().st_mtime_ns if file.is_file() else 0)
        if key not in self._titles:
            self._titles[key] = title(run).removeprefix(run.name).strip()
        return self._titles[key]

    def page(self, request: Request, template: str, code: int = 200, **values: Any) -> Response:
        """Fill in a template. All its values are escaped."""
        from starlette.responses import HTMLResponse

        known: Mapping[str, Any] = {"session": request.state.session, "path": request.url.path, "login": self.login}
        return HTMLResponse(self.templates.get_template(template).render({**known, **values}), code)
