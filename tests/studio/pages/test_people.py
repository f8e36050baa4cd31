"""An owner invites people by links and dismisses them."""

import re

from posttrain.studio.access.roles import ANNOTATOR
from tests.studio.site import HOST, Browser, make_run, open_studio


def test_a_link_opens_a_session_of_its_role_until_somebody_is_dismissed(tmp_path):
    make_run(tmp_path, "first")
    studio = open_studio(tmp_path)
    owner, eve = Browser(studio, "boss"), Browser(studio, enter=False)
    page = owner.post("/people", name="eve", role="annotator")
    link = re.search(rf"http://{HOST}(/enter\?token=[\w-]+)", page)[1]
    assert "eve, annotator" in eve.get(link)
    eve.get("/runs", 403)
    owner.get("/people")
    owner.post("/people/dismiss", name="eve")
    eve.get("/projects", 401)
    owner.get("/runs")


def test_a_link_of_somebody_dismissed_is_void(tmp_path):
    studio = open_studio(tmp_path)
    owner = Browser(studio, "boss")
    token = studio.sessions.link("eve", ANNOTATOR)
    owner.post("/people/dismiss", name="eve")
    Browser(studio, enter=False).get(f"/enter?token={token}", 403)


def test_odd_names_and_roles_are_refused(tmp_path):
    owner = Browser(open_studio(tmp_path), "boss")
    owner.post("/people", 422, name="<script>", role="owner")
    owner.post("/people", 422, name="eve", role="god")
