"""`constraints.txt` from what is installed: run with each of its Pythons, in a fresh environment with all extras.

    python tests/environments/freeze.py >> constraints.txt

Versions alone: no addresses, so that any index serves.
"""

import importlib.metadata
import sys

OURS = "recurrence-to-attention"

if __name__ == "__main__":
    found = {(d.metadata["Name"], d.version) for d in importlib.metadata.distributions()}
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    for name, number in sorted(found, key=lambda pin: pin[0].lower()):
        if name.lower() not in (OURS, "pip"):
            print(f'{name}=={number}; python_version == "{version}"')
