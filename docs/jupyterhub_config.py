"""JupyterHub for a class on one machine. See serving.md; `jupyterhub -f jupyterhub_config.py` starts it.

For real use set an authenticator (PAM is the default; `pip install oauthenticator` for a university's login) and a
spawner that keeps users apart (SystemdSpawner on one machine, KubeSpawner on a cluster): the settings below are theirs too.
"""

import os
import pathlib

c = get_config()  # JupyterHub brings it

COURSE = pathlib.Path(os.environ.get("COURSE_CHECKOUT", "/srv/recurrence-to-attention"))  # a checkout after `make lab`

c.Spawner.cmd = [str(COURSE / ".venv" / "bin" / "jupyterhub-singleuser")]
c.Spawner.default_url = "/lab"
c.Spawner.environment = {
    # On a GPU that several kernels share: take memory as it is needed, not three quarters of it at the start.
    "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
}
c.Spawner.mem_limit = "3G"  # see the table in serving.md; spawners that can hold a process to it do
c.Spawner.cpu_limit = 2
c.JupyterHub.concurrent_spawn_limit = 10
c.ServerApp.log_level = "WARN"
