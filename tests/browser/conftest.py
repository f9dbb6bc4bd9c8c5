"""A real JupyterLab and a real Notebook 7 in Chromium. Run by `make test-browser`."""

import pytest
from frontends import CHROMIUM_FLAGS, chromium, jupyter
from frontends import open_notebook as open_in


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    return {**browser_type_launch_args, "executable_path": chromium(), "args": CHROMIUM_FLAGS}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args):
    return {**browser_context_args, "viewport": {"width": 1000, "height": 1400}}


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """Address and folder of a private server."""
    root = tmp_path_factory.mktemp("jupyter")
    with jupyter(root) as address:
        yield address, root


IN_NOTEBOOK_7 = ("00", "01")  # the chapters that are also run there: it shares its renderer with JupyterLab


@pytest.fixture(params=["lab", "notebook7"])
def open_notebook(server, page, request):
    """`open_notebook(path)` opens a notebook in each front end."""
    address, root = server

    def open_it(path):
        if request.param == "notebook7" and path.name[:2] not in IN_NOTEBOOK_7:
            pytest.skip("in JupyterLab only")
        return open_in(page, address, root, request.param, path)

    return open_it
