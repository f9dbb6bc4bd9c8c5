"""Five students at once on a real JupyterHub on loopback: each starts a server and runs chapter 01. Nothing here is a test.

    python benchmarks/hub.py [--students 5] [--notebook notebooks/01_recurrence.ipynb] [--out FILE]

Needs `pip install -e '.[hub]'` and configurable-http-proxy (npm) on the PATH. The settings are those of docs/jupyterhub_config.py,
with an authenticator and a spawner that need no accounts. Seconds are from logging in; memory is what all processes
of a student hold (the sum of what each has for itself, sampled every half second).
"""

import argparse
import concurrent.futures
import contextlib
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
import uuid

import nbformat
import psutil
import websocket
from jupyterhub.utils import random_port
from machine import processor

ROOT = pathlib.Path(__file__).parents[1]
TOKEN = uuid.uuid4().hex
CONFIG = """
import os, sys
exec(open({shipped!r}).read())
c.JupyterHub.authenticator_class = "dummy"
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = {folder!r} + "/{{username}}"
c.Spawner.cmd = [os.path.join(os.path.dirname(sys.executable), "jupyterhub-singleuser")]
c.Spawner.args = ["--allow-root"]
c.Spawner.start_timeout = 120
c.JupyterHub.bind_url = "http://127.0.0.1:{port}"
c.JupyterHub.hub_port = {hub}
c.JupyterHub.services = [{{"name": "benchmark", "api_token": {token!r}}}]
c.JupyterHub.load_roles = [{{"name": "benchmark", "services": ["benchmark"],
    "scopes": ["admin:users", "admin:servers", "access:servers"]}}]
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{proxy}"
"""


def ask(url: str, method: str = "GET", body: object = None) -> object:
    request = urllib.request.Request(url, method=method, headers={"Authorization": f"token {TOKEN}"})
    if body is not None:
        request.data = json.dumps(body).encode()
    with urllib.request.urlopen(request, timeout=180) as answer:
        text = answer.read()
    return json.loads(text) if text else None


def wait_for(holds, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError("the hub or a server did not start; see its log")
        time.sleep(0.3)


def answers(url: str) -> bool:
    try:
        ask(url)
    except OSError:
        return False
    return True


def run_cells(socket_url: str, sources: list[str]) -> str:
    """Execute cells one after another in a kernel, as Run All does; the first error, or nothing."""
    line = websocket.create_connection(socket_url, header=[f"Authorization: token {TOKEN}"], timeout=900)
    try:
        for source in sources:
            asked = uuid.uuid4().hex
            header = {
                "msg_id": asked,
                "msg_type": "execute_request",
                "username": "",
                "session": asked,
                "version": "5.3",
            }
            content = {
                "code": source,
                "silent": False,
                "store_history": True,
                "allow_stdin": False,
                "stop_on_error": True,
            }
            line.send(json.dumps({"header": header, "parent_header": {}, "metadata": {}, "content": content,
                                  "channel": "shell", "buffers": []}))  # fmt: skip
            while True:
                heard = line.recv()
                message = json.loads(
                    heard if isinstance(heard, str) else heard[4 + 4 * int.from_bytes(heard[:4], "big") :]
                )
                if message["parent_header"].get("msg_id") != asked:
                    continue
                if message["msg_type"] == "error":
                    return f"{message['content']['ename']}: {message['content']['evalue']}"
                if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                    break
    finally:
        line.close()
    return ""


def student(address: str, name: str, sources: list[str]) -> dict[str, object]:
    start = time.perf_counter()
    ask(f"{address}/hub/api/users/{name}", "POST")
    ask(f"{address}/hub/api/users/{name}/server", "POST")
    server = f"{address}/user/{name}"
    wait_for(lambda: answers(f"{server}/api/status"))
    started = time.perf_counter() - start
    kernel = ask(f"{server}/api/kernels", "POST", {"name": "python3"})["id"]
    wrong = run_cells(f"{server.replace('http', 'ws', 1)}/api/kernels/{kernel}/channels", sources)
    return {"server": round(started, 1), "all": round(time.perf_counter() - start, 1), "error": wrong}


def watch(folder: pathlib.Path, peaks: dict[str, float], stop: threading.Event) -> None:
    """The largest memory of each student's processes, told by their home, in megabytes."""
    while not stop.wait(0.5):
        held: dict[str, float] = {}
        for process in psutil.process_iter():
            try:
                home = process.environ().get("HOME", "")
                if home.startswith(f"{folder}/student"):
                    name = pathlib.Path(home).name
                    held[name] = held.get(name, 0) + process.memory_full_info().uss / 1e6
            except psutil.Error:
                continue
        for name, megabytes in held.items():
            peaks[name] = max(peaks.get(name, 0), megabytes)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--students", type=int, default=5)
    parser.add_argument("--notebook", type=pathlib.Path, default=ROOT / "notebooks" / "01_recurrence.ipynb")
    parser.add_argument("--out", type=pathlib.Path, help="a file for the numbers, as JSON")
    given = parser.parse_args()
    cells = nbformat.read(given.notebook, 4).cells
    sources = [cell.source for cell in cells if cell.cell_type == "code"]
    with tempfile.TemporaryDirectory() as place:
        folder = pathlib.Path(place)
        port, hub, proxy = random_port(), random_port(), random_port()
        names = [f"student{i}" for i in range(given.students)]
        settings = CONFIG.format(
            shipped=str(ROOT / "docs" / "jupyterhub_config.py"),
            folder=place,
            port=port,
            hub=hub,
            proxy=proxy,
            token=TOKEN,
        )
        (folder / "config.py").write_text(settings)
        (folder / "learners.txt").write_text("\n".join(names))
        log = (folder / "log").open("w")
        environment = {
            **os.environ,
            "PATH": f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}",
            "COURSE_LEARNERS": str(folder / "learners.txt"),
        }
        command = [
            shutil.which("jupyterhub", path=environment["PATH"]) or "jupyterhub",
            "-f",
            str(folder / "config.py"),
        ]
        running = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
        peaks: dict[str, float] = {}
        stop = threading.Event()
        try:
            address = f"http://127.0.0.1:{port}"
            wait_for(lambda: answers(f"{address}/hub/api/"))
            threading.Thread(target=watch, args=(folder, peaks, stop), daemon=True).start()
            with concurrent.futures.ThreadPoolExecutor(given.students) as pool:
                found = list(pool.map(lambda name: student(address, name, sources), names))
        except Exception:
            print((folder / "log").read_text()[-3000:], file=sys.stderr)
            raise
        finally:
            stop.set()
            with contextlib.suppress(psutil.Error):
                for process in psutil.Process(running.pid).children(recursive=True):
                    process.terminate()
            running.terminate()
            running.wait(20)
    wrong = [one["error"] for one in found if one["error"]]
    result = {
        "notebook": given.notebook.stem,
        "students": given.students,
        "processor": processor(),
        "processors": os.cpu_count(),
        "server_seconds": round(statistics.median(one["server"] for one in found), 1),
        "run_all_seconds": [one["all"] for one in found],
        "peak_megabytes": sorted(round(peak) for peak in peaks.values()),
        "errors": wrong,
    }
    print(json.dumps(result, indent=1))
    if given.out:
        given.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
