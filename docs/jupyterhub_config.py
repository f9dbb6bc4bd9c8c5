"""JupyterHub for a class on one machine. See serving.md; `jupyterhub -f jupyterhub_config.py` starts it.

It lets in who is on the list of learners, and listens on this machine alone: a web server in front of it brings https
(serving.md has two lines for one). For real use set an authenticator (PAM, the machine's own accounts, is the default;
`pip install oauthenticator` for a university's login) and a spawner that keeps users apart (SystemdSpawner on one machine,
KubeSpawner on a cluster): the settings below are theirs too.
"""

import os
import pathlib

c = get_config()  # JupyterHub brings it

COURSE = pathlib.Path(os.environ.get("COURSE_CHECKOUT", "/srv/recurrence-to-attention"))  # a checkout after `make lab`
LEARNERS = pathlib.Path(os.environ.get("COURSE_LEARNERS", "/etc/jupyterhub/learners.txt"))  # a login name a line

try:
    lines = LEARNERS.read_text(encoding="utf-8-sig").splitlines()
except OSError as error:
    raise SystemExit(
        f"{LEARNERS} cannot be read ({error.strerror}): write the learners' login names there, one a line."
    ) from None
learners = {name for line in lines if (name := line.partition("#")[0].strip().lower())}
if not learners:
    raise SystemExit(f"{LEARNERS} holds no name: write the learners' login names there, one a line.")
c.Authenticator.allowed_users = learners
c.Authenticator.allow_existing_users = False  # whom the list no longer names, the hub no longer lets in

c.JupyterHub.bind_url = (
    "http://127.0.0.1:8000"  # passwords go over no wire before the web server has made https of them
)
c.JupyterHub.concurrent_spawn_limit = 10

c.Spawner.cmd = [str(COURSE / ".venv" / "bin" / "jupyterhub-singleuser")]
c.Spawner.default_url = "/lab"
c.Spawner.environment = {
    # On a GPU that several kernels share: take memory as it is needed, not three quarters of it at the start.
    "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
}
c.Spawner.mem_limit = "3G"  # see the table in serving.md; spawners that can hold a process to it do
c.Spawner.cpu_limit = 2
