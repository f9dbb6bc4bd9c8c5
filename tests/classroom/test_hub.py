"""A real JupyterHub with the settings of docs/, on loopback: who is let in, and where it listens."""

import http.cookiejar
import os
import pathlib
import re
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

import psutil
import pytest
from jupyterhub.utils import random_port

ROOT = pathlib.Path(__file__).parents[2]
# As shipped, but for a password instead of accounts, ports that are free, and a proxy that needs no npm: the hub answers itself.
SETTINGS = """
exec(open({shipped!r}).read())
from jupyterhub.proxy import Proxy

class Nobody(Proxy):
    routes = {{}}
    async def start(self): pass
    async def stop(self): pass
    async def add_route(self, spec, target, data): self.routes[spec] = {{"routespec": spec, "target": target, "data": data}}
    async def delete_route(self, spec): self.routes.pop(spec, None)
    async def get_all_routes(self): return self.routes

c.JupyterHub.proxy_class = Nobody
c.JupyterHub.authenticator_class = "dummy"
c.DummyAuthenticator.password = "of this test"
c.JupyterHub.hub_port = {port}
"""


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    """The running hub's process and address; ada and bob are on its list."""
    folder, port = tmp_path_factory.mktemp("hub"), random_port()
    (folder / "learners.txt").write_text("ada\nbob\n")
    (folder / "config.py").write_text(
        SETTINGS.format(shipped=str(ROOT / "docs" / "jupyterhub_config.py"), port=port), encoding="utf-8"
    )
    with (folder / "log").open("w") as log:
        running = subprocess.Popen(
            [sys.executable, "-m", "jupyterhub", "-f", "config.py"],
            cwd=folder,
            env={**os.environ, "COURSE_LEARNERS": str(folder / "learners.txt")},
            stdout=log,
            stderr=log,
        )
    address = f"http://127.0.0.1:{port}/hub"
    try:
        end = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen(f"{address}/health", timeout=5)
                break
            except OSError:
                if running.poll() is not None or time.monotonic() > end:
                    pytest.fail((folder / "log").read_text()[-3000:])
                time.sleep(0.2)
        yield running, address, folder / "log"
    finally:
        running.terminate()
        running.wait(20)


def log_in(address, name, password="of this test", **header):
    """The cookie of somebody whom the hub lets in, else None."""
    jar = http.cookiejar.CookieJar()

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_):
            return None  # a server of one's own is not wanted here

    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar), Stay)
    browser.addheaders = list(header.items())
    browser.open(f"{address}/login", timeout=20).read()
    sign = next(cookie.value for cookie in jar if cookie.name == "_xsrf")
    form = urllib.parse.urlencode({"username": name, "password": password, "_xsrf": sign}).encode()
    with pytest.raises(urllib.error.HTTPError) as answer:
        browser.open(f"{address}/login", form, timeout=20)
    assert answer.value.code in (302, 403)
    return next((cookie for cookie in jar if cookie.name == "jupyterhub-hub-login"), None)


def test_learners_on_the_list_are_let_in_and_nobody_else(hub):
    _, address, log = hub
    assert log_in(address, "ada"), log.read_text()[-3000:]
    assert log_in(address, "Bob")
    assert not log_in(address, "ada", "another password")
    assert not log_in(address, "mallory")
    assert not log_in(address, "root")


def test_behind_https_the_cookie_goes_over_https_alone(hub):
    """The web server in front says so, in a header of this name."""
    _, address, _ = hub
    name, scheme = re.search(
        r"header_up (\S+) (\S+)", (ROOT / "docs" / "Caddyfile").read_text(encoding="utf-8")
    ).groups()
    assert not log_in(address, "ada").secure
    assert log_in(address, "ada", **{name: scheme}).secure


def test_it_listens_on_this_machine_alone(hub):
    running, _, _ = hub
    processes = [psutil.Process(running.pid), *psutil.Process(running.pid).children(recursive=True)]
    heard = {line.laddr.ip for one in processes for line in one.net_connections() if line.status == psutil.CONN_LISTEN}
    assert heard == {"127.0.0.1"}


def test_nothing_in_the_settings_is_unknown_to_the_hub(hub):
    _, _, log = hub
    said = log.read_text()
    assert "not recognized" not in said
    assert "No allow config" not in said
