"""Where Colab's page finds the manager of custom widgets, once it is enabled.

Colab itself attaches this to what is displayed, and to no value of a cell.
"""

_installed_url = None
