# Needs python3 (3.11 or newer) and make. `make lab` to learn, `make test` to check, the rest is for authors.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet
LABCONFIG := $(VENV)/etc/jupyter/labconfig/default_setting_overrides.json

# A Python of one version: the one on the PATH, else one that pyenv holds.
python_of = $(shell python$(1) -c 'import sys; print(sys.executable)' 2>/dev/null || ls $$(pyenv root 2>/dev/null)/versions/$(1).*/bin/python 2>/dev/null | tail -1)
# All notebooks, a kernel for each core; what one compiled the next finds again.
NOTEBOOKS = COURSE_HOME=$$(mktemp -d) TQDM_DISABLE=1 PYTHONPATH=tests/notebooks $(1)/bin/python -m pytest -n auto --dist loadfile -p nbval -p nbval_plotly --nbval-cell-timeout=300 notebooks
COMPILED = JAX_COMPILATION_CACHE_DIR=$(CURDIR)/$(1)/compiled JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS=0.2
COLAB := tests/environments/colab-2026-08.txt

.PHONY: lab test test-colab test-newest test-browser test-classroom check build site bench clean

lab: $(VENV)/.lab $(LABCONFIG)
	$(BIN)/course lab -- $(LAB_OPTIONS)

test: $(VENV)/.test
	$(call COMPILED,$(VENV)) $(BIN)/python -m pytest -n auto
	$(call COMPILED,$(VENV)) $(call NOTEBOOKS,$(VENV)) --nbval --nbval-sanitize-with tests/notebooks/sanitize.cfg

# The versions that Colab publishes, and Colab itself simulated. Installing the course must change none of them.
test-colab: .venv-colab/.ready
	.venv-colab/bin/python tests/environments/unchanged.py $(COLAB)
	$(call COMPILED,.venv-colab) .venv-colab/bin/python -m pytest -n auto -m "not slow" -W "error:Passing unrecognized arguments" --ignore tests/unit/test_packaging.py tests/unit tests/colab
	$(call COMPILED,.venv-colab) COURSE_SIZE=quick PYTHONWARNINGS="error:Passing unrecognized arguments" $(call NOTEBOOKS,.venv-colab) --nbval-lax

# The newest releases of everything.
test-newest: .venv-newest/.ready
	$(call COMPILED,.venv-newest) .venv-newest/bin/python -m pytest -n auto -m "not slow" --ignore tests/unit/test_packaging.py tests/unit
	$(call COMPILED,.venv-newest) COURSE_SIZE=quick $(call NOTEBOOKS,.venv-newest) --nbval-lax

# In a real browser; needs Chromium (apt-get install chromium). CHAPTERS="00 or 07" takes some of the notebooks only.
test-browser: $(VENV)/.browser
	$(BIN)/python -m pytest -p no:xdist tests/browser $(if $(CHAPTERS),-k "$(CHAPTERS)")

# A real round of nbgrader with a released chapter.
test-classroom: $(VENV)/.classroom
	$(call COMPILED,$(VENV)) $(BIN)/python -m pytest -p no:xdist tests/classroom

# The type checker reads the pages too, so it needs what they import.
check: $(VENV)/.test $(VENV)/.site
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/course quiz validate

build: $(VENV)/.test
	$(BIN)/course build

# The course as static pages, in site/. COURSE_SIZE=quick for a look.
site: $(VENV)/.site
	$(call COMPILED,$(VENV)) $(BIN)/course site

# Nothing here is a test. The peers, PyTorch among them, live in an environment of their own.
bench: $(VENV)/.browser .venv-peers/.ready
	$(BIN)/python benchmarks/speed.py .venv-peers/bin/python --out benchmarks/recorded/speed-here.json
	$(BIN)/python benchmarks/startup.py
	$(BIN)/python benchmarks/notebooks.py --out benchmarks/recorded/notebooks.json
	$(BIN)/python benchmarks/latency.py

clean:
	rm -rf $(VENV) .venv-colab .venv-newest .venv-peers dist site slides .pytest_cache .ruff_cache .hypothesis .import_linter_cache

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

$(VENV)/.classroom: $(VENV)/.test
	$(PIP) -c constraints.txt -e '.[classroom]'
	@touch $@

$(VENV)/.site: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) -c constraints.txt -e '.[site]'
	@touch $@

.venv-colab/.ready: pyproject.toml $(COLAB)
	@test -n "$(call python_of,3.13)" || { echo "Python 3.13 is needed for Colab's versions: install it, or name one: make test-colab python_of=PATH"; exit 1; }
	$(call python_of,3.13) -m venv --clear .venv-colab
	.venv-colab/bin/python -m pip --disable-pip-version-check install --quiet -r $(COLAB)
	.venv-colab/bin/python -m pip --disable-pip-version-check install --quiet -e .
	.venv-colab/bin/python tests/environments/unchanged.py $(COLAB)
	.venv-colab/bin/python -m pip --disable-pip-version-check install --quiet -c $(COLAB) -e '.[checks]'
	@touch $@

.venv-newest/.ready: pyproject.toml
	@test -n "$(call python_of,3.12)" || { echo "Python 3.12 is needed: install it, or name one: make test-newest python_of=PATH"; exit 1; }
	$(call python_of,3.12) -m venv --clear .venv-newest
	.venv-newest/bin/python -m pip --disable-pip-version-check install --quiet -e '.[lab,checks]'
	@touch $@

.venv-peers/.ready: benchmarks/peers/requirements.txt
	$(PYTHON) -m venv --clear .venv-peers
	.venv-peers/bin/python -m pip --disable-pip-version-check install --quiet -r $<
	@touch $@

# Figures scroll out of view and must come back as they were; no news from outside.
$(LABCONFIG): | $(VENV)/bin/python
	@mkdir -p $(dir $@)
	@echo '{"@jupyterlab/notebook-extension:tracker": {"windowingMode": "defer"}, "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": false}}' > $@
