# Needs make and Python 3.11 or newer. `make lab` to learn, `make test` to check, the rest is for authors.
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet
LABCONFIG := $(VENV)/etc/jupyter/labconfig/default_setting_overrides.json

# A Python of one version: the one on the PATH, else one that pyenv holds.
python_of = $(shell python$(1) -c 'import sys; print(sys.executable)' 2>/dev/null || ls "$$(pyenv root 2>/dev/null)"/versions/$(1).*/bin/python 2>/dev/null | tail -1)
# The course is made and tested on 3.12; the next two are newer than what is pinned; jax goes no further on 3.11.
PYTHON ?= $(or $(call python_of,3.12),$(call python_of,3.13),$(call python_of,3.14),$(call python_of,3.11),python3)

# What jax compiled is kept outside the checkout, for each environment: the next run finds it, down to the smallest program.
CACHE ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/recurrence-to-attention/tests
COMPILED = JAX_COMPILATION_CACHE_DIR="$(CACHE)/$(patsubst .%,%,$(1))" JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS=0 JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES=-1
# All notebooks, a kernel for each core.
NOTEBOOKS = COURSE_HOME="$$(mktemp -d)" TQDM_DISABLE=1 PYTHONPATH=tests/notebooks $(1)/bin/python -m pytest -n auto --dist loadfile -p nbval -p nbval_strict --nbval-cell-timeout=300 notebooks
# `thorough` takes minutes: what notebooks train, with other seeds, and the like; the other environments run what can differ there. ALL=1: everything.
CHOSEN = $(if $(ALL),,-m "not thorough")
DIFFERS = $(if $(ALL),,--differs) --ignore tests/unit/test_packaging.py tests/unit
COLAB := tests/environments/colab-2026-08.txt

.PHONY: install lab test test-interrupts test-all test-oldest test-colab test-browser test-classroom costs check build site bench clean

lab: $(VENV)/.lab $(LABCONFIG)
	$(BIN)/course lab -- $(LAB_OPTIONS)

test: $(VENV)/.test
	$(call COMPILED,$(VENV)) $(BIN)/python -m pytest -n auto --dist worksteal $(CHOSEN)
	$(call COMPILED,$(VENV)) $(call NOTEBOOKS,$(VENV)) --nbval --nbval-sanitize-with tests/notebooks/sanitize.cfg

# The stop button in a real kernel, ten times.
test-interrupts: $(VENV)/.test
	$(BIN)/python -m pytest -p no:xdist tests/notebooks/test_interrupts.py

# Before a release: everything, everywhere. On Python 3.11 as a machine that has no other would run it.
test-all: check
	-$(BIN)/course doctor
	$(MAKE) test ALL=1
	$(MAKE) test ALL=1 VENV=.venv-oldest PYTHON="$(call python_of,3.11)"
	$(MAKE) test-colab ALL=1
	$(MAKE) test-classroom
	$(MAKE) test-browser

# The oldest versions: Python 3.11, and the last jax that has it.
test-oldest: .venv-oldest/.ready
	$(call COMPILED,.venv-oldest) .venv-oldest/bin/python -m pytest -n auto --dist worksteal $(DIFFERS)
	$(call COMPILED,.venv-oldest) COURSE_SIZE=quick $(call NOTEBOOKS,.venv-oldest) --nbval-lax

# The versions that Colab publishes, and Colab itself simulated. Installing the course must change none of them.
test-colab: .venv-colab/.ready
	.venv-colab/bin/python tests/environments/unchanged.py $(COLAB)
	$(call COMPILED,.venv-colab) .venv-colab/bin/python -m pytest -n auto --dist worksteal $(DIFFERS) -W "error:Passing unrecognized arguments" tests/colab
	$(call COMPILED,.venv-colab) COURSE_SIZE=quick PYTHONWARNINGS="error:Passing unrecognized arguments" $(call NOTEBOOKS,.venv-colab) --nbval-lax

# Where the time of the tests goes: the slowest, and the programs that each asks jax to compile. TESTS=tests/unit/test_gated.py
costs: $(VENV)/.test
	$(call COMPILED,$(VENV)) $(BIN)/python -m pytest -n auto --dist worksteal --costs --durations=40 $(CHOSEN) $(TESTS)

# All that .ci/run needs.
install: .venv-oldest/.ready .venv-colab/.ready | $(VENV)/bin/python
	$(PIP) -c constraints.txt -e '.[browser,classroom]'
	@touch $(addprefix $(VENV)/.,test site browser classroom)

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
	$(BIN)/python tests/notebook_types.py
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
	$(BIN)/python benchmarks/classroom.py --out benchmarks/recorded/classroom.json

clean:
	rm -rf $(VENV) .venv-oldest .venv-colab .venv-peers dist site slides .pytest_cache .ruff_cache .hypothesis .import_linter_cache

$(VENV)/bin/python:
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version.split()[0] + ". Name another: make PYTHON=python3.12")'
	"$(PYTHON)" -m venv $(VENV)

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
	"$(call python_of,3.13)" -m venv --clear .venv-colab
	.venv-colab/bin/python -m pip --disable-pip-version-check install --quiet -r $(COLAB)
	.venv-colab/bin/python -m pip --disable-pip-version-check install --quiet -e .
	.venv-colab/bin/python tests/environments/unchanged.py $(COLAB)
	.venv-colab/bin/python -m pip --disable-pip-version-check install --quiet -c $(COLAB) -e '.[checks]'
	@touch $@

.venv-oldest/.ready: pyproject.toml constraints.txt
	@test -n "$(call python_of,3.11)" || { echo "Python 3.11 is needed: install it, or name one: make test-oldest python_of=PATH"; exit 1; }
	"$(call python_of,3.11)" -m venv --clear .venv-oldest
	.venv-oldest/bin/python -m pip --disable-pip-version-check install --quiet -c constraints.txt -e '.[lab,checks]'
	@touch $@

.venv-peers/.ready: benchmarks/peers/requirements.txt
	"$(PYTHON)" -m venv --clear .venv-peers
	.venv-peers/bin/python -m pip --disable-pip-version-check install --quiet -r $<
	@touch $@

# Figures scroll out of view and must come back as they were; no news from outside.
$(LABCONFIG): | $(VENV)/bin/python
	@mkdir -p $(dir $@)
	@echo '{"@jupyterlab/notebook-extension:tracker": {"windowingMode": "defer"}, "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": false}}' > $@
