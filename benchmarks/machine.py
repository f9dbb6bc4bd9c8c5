"""What a recorded time is about: the machine it was taken on."""

import pathlib
import platform


def processor() -> str:
    """The processor's name and its widest vectors, where the system tells: they decide much of a ratio."""
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown"
    told = dict(line.split(":", 1) for line in lines if ":" in line)
    told = {name.strip(): value.strip() for name, value in told.items()}
    widest = next((name for name in ("avx512f", "avx2", "avx") if name in told.get("flags", "").split()), "no AVX")
    return f"{told.get('model name', 'unknown')}, {widest}"
