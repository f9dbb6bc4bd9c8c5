"""Colab's kernels have google.colab imported before the first cell."""

import google.colab  # noqa: F401
