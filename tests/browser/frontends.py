"""A private Jupyter server, and a notebook open in JupyterLab or Notebook 7 as a person has it before them."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SETTINGS = {
    "@jupyterlab/notebook-extension:tracker": {"windowingMode": "defer"},
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
}
START = {"lab": "/doc/tree/{}?reset", "notebook7": "/notebooks/{}?reset"}
IDLE = """() => {
  const kernel = window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel;
  return kernel?.status === 'idle';
}"""
# What the page itself says is wrong without any cell of ours being involved.
HARMLESS = ("favicon", "ResizeObserver", "Failed to load resource")


def chromium():
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    assert found, "Chromium is missing: apt-get install chromium"
    return found


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers_at(address, process):
    """Wait for a server; False if it ended or says nothing for a minute."""
    for _ in range(600):
        if process.poll() is not None:
            return False
        with contextlib.suppress(OSError):
            urllib.request.urlopen(address + "/api", timeout=1)
            return True
        time.sleep(0.1)
    return False


@contextlib.contextmanager
def jupyter(root, size="quick"):
    """A private server on a free loopback port, with `root` as its folder; gives its address."""
    config = root / ".cfg" / "labconfig"
    config.mkdir(parents=True, exist_ok=True)
    (config / "default_setting_overrides.json").write_text(json.dumps(SETTINGS))
    port = free_port()
    folders = {"CONFIG_DIR": ".cfg", "RUNTIME_DIR": ".run", "DATA_DIR": ".data"}
    private = {f"JUPYTER_{name}": str(root / folder) for name, folder in folders.items()}
    process = subprocess.Popen(
        [
            sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}",
            "--ServerApp.port_retries=0", f"--ServerApp.root_dir={root}", "--IdentityProvider.token=",
            "--LabApp.expose_app_in_browser=True", "--JupyterNotebookApp.expose_app_in_browser=True",
            "--LabApp.news_url=None",
        ],
        env={**os.environ, **private, "IPYTHONDIR": str(root / ".ipy"), "COURSE_HOME": str(root / "home"),
             "COURSE_SIZE": size},
        stdout=(root / "server.log").open("w"), stderr=subprocess.STDOUT,
    )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    try:
        assert answers_at(address, process), (root / "server.log").read_text()[-2000:]
        yield address
    finally:
        process.terminate()
        process.wait(10)


@contextlib.contextmanager
def notebook_6(root, python):
    """A private Notebook 6 of another environment, whose Python is `python`; gives its address."""
    port = free_port()
    private = {f"JUPYTER_{name}": str(root / name.lower()) for name in ("CONFIG_DIR", "RUNTIME_DIR", "DATA_DIR")}
    process = subprocess.Popen(
        [python, "-m", "notebook", "--no-browser", "--allow-root", f"--port={port}", f"--NotebookApp.notebook_dir={root}",
         "--NotebookApp.token="],
        env={**os.environ, **private, "IPYTHONDIR": str(root / ".ipy"), "COURSE_HOME": str(root / "home"), "COURSE_SIZE": "quick"},
        stdout=(root / "server.log").open("w"), stderr=subprocess.STDOUT,
    )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    try:
        assert answers_at(address, process), (root / "server.log").read_text()[-2000:]
        yield address
    finally:
        process.terminate()
        process.wait(10)


class Page:
    """A notebook open in a front end, as a person has it before them."""

    def __init__(self, page, address, front):
        self.page, self.front = page, front
        self.outside, self.errors = [], []
        ours = (address, address.replace("http", "ws"), "data:", "blob:")
        page.on("request", lambda request: None if request.url.startswith(ours) else self.outside.append(request.url))
        page.on("console", self._heard)
        page.on("response", self._answered)

    def _answered(self, response):
        # Fonts of a front end's own static folder are refused now and then by its server: not ours to mend.
        if response.status in (403, 500) and "/static/" not in response.url:
            self.errors.append(f"{response.status} {response.url}")

    def _heard(self, message):
        if message.type == "error" and not any(part in message.text for part in HARMLESS):
            self.errors.append(message.text)

    def idle(self, seconds=180):
        """Wait until the kernel has been idle for a moment."""
        for _ in range(2):
            self.page.wait_for_function(IDLE, timeout=1000 * seconds)
            self.page.wait_for_timeout(400)

    def run_all(self):
        self.page.evaluate("jupyterapp.commands.execute('notebook:run-all-cells')")
        self.page.wait_for_timeout(1500)
        self.idle()

    def restart_and_run_all(self):
        self.page.evaluate(
            """async () => {
                const panel = jupyterapp.shell.currentWidget;
                await panel.sessionContext.session.kernel.restart();
            }"""
        )
        self.page.wait_for_timeout(1500)
        self.idle()
        self.run_all()


def open_notebook(page, address, root, front, path):
    """Copy a notebook to the server's folder, open it in a front end, wait for its kernel."""
    name = f"{front}_{path.name}"
    shutil.copy(path, root / name)
    page.goto(address + START[front].format(name))
    page.locator(".jp-Notebook .jp-CodeCell").first.wait_for(timeout=60_000)
    opened = Page(page, address, front)
    opened.idle()
    page.evaluate(
        "jupyterapp.commands.execute('notebook:expand-all-headings')"
    )  # a lesson keeps what goes deeper folded
    return opened
