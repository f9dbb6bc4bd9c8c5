"""Writes down each call, for the test to count, and keeps the address of the manager as Colab does."""

import os

from . import _widgets


def enable_custom_widget_manager():
    _widgets._installed_url = (
        "https://ssl.gstatic.com/colaboratory-static/widgets/colab-cdn-widget-manager/manager.min.js"
    )
    with open(os.environ["COLAB_CALLS"], "a") as calls:
        calls.write("enable_custom_widget_manager\n")
