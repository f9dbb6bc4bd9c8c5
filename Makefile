# Needs python3 (3.11 or newer) and make. `make lab` to learn, `make test` to check, the rest is for authors.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet
LABCONFIG := $(VENV)/etc/jupyter/labconfig/default_setting_overrides.json

.PHONY: lab test test-browser check build bench clean

lab: $(VENV)/.lab $(LABCONFIG)
	$(BIN)/jupyter lab --LabApp.news_url=None $(LAB_OPTIONS) notebooks/00_start_here.ipynb

test: $(VENV)/.test
	$(BIN)/python -m pytest
	PYTHONPATH=tests/notebooks COURSE_HOME=$$(mktemp -d) TQDM_DISABLE=1 $(BIN)/python -m pytest -p nbval -p nbval_plotly --nbval --nbval-sanitize-with tests/notebooks/sanitize.cfg --nbval-cell-timeout=300 notebooks

# In a real browser; needs Chromium (apt-get install chromium).
test-browser: $(VENV)/.browser
	$(BIN)/python -m pytest -p no:xdist tests/browser

check: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/course quiz validate

build: $(VENV)/.test
	$(BIN)/course build

bench: $(VENV)/.test
	$(BIN)/python benchmarks/startup.py

clean:
	rm -rf $(VENV) dist site .pytest_cache .ruff_cache .hypothesis .import_linter_cache

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version.split()[0] + ". Name another: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.lab: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) -c constraints.txt -e '.[lab]'
	@touch $@

$(VENV)/.test: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) -c constraints.txt -e '.[test]'
	@touch $@

$(VENV)/.browser: $(VENV)/.test
	$(PIP) -c constraints.txt -e '.[browser]'
	@touch $@

# Figures scroll out of view and must come back as they were; no news from outside.
$(LABCONFIG): | $(VENV)/bin/python
	@mkdir -p $(dir $@)
	@echo '{"@jupyterlab/notebook-extension:tracker": {"windowingMode": "defer"}, "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": false}}' > $@
