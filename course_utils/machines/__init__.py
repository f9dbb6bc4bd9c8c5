"""Drawings of the course's models that carry real numbers: arrays and models in, a `Machine` out.

One module a chapter's subject; `machine` says what a `Machine` is, `page` shows one without a kernel.
"""

from .machine import Machine, Variant
from .page import page, show

__all__ = ["Machine", "Variant", "page", "show"]
