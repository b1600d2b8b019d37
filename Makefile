# Each target sets up all it needs: a virtual environment in .venv, with what pyproject.toml names in
# the versions that constraints.txt pins. PYTHON chooses the interpreter, >= 3.11.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
JUDGES := .venv-judges
LABELME := .venv-labelme
PLUGINS := $(wildcard plugins/segfmt-*)
SUITES := $(PLUGINS:%=%/suite)
TIMED_SUITES := plugins/segfmt-dask/suite

# Elsewhere Python keeps what it has compiled; without that every command that a test or a benchmark
# starts compiles segfmt's sources again, which no user's does.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test lint bench peers docs clean environments $(SUITES)
.DELETE_ON_ERROR:

demo: $(READY)
	$(BIN)/python docs/demo/run.py build/demo

test: export SEGFMT_CITYSCAPESSCRIPTS_PYTHON := $(CURDIR)/$(JUDGES)/bin/python
test: export SEGFMT_LABELME_PYTHON := $(CURDIR)/$(LABELME)/bin/python
test: environments
	$(BIN)/segfmt warmup
	$(MAKE) --no-print-directory --jobs=2 $(SYNC) $(filter-out $(TIMED_SUITES),$(SUITES))
	$(MAKE) --no-print-directory $(TIMED_SUITES)
	$(BIN)/python -m pytest -q -m "timed and not slow"
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not timed and not slow"

# All that `make test` needs; they do not wait for one another.
environments: $(READY) $(JUDGES)/ready $(LABELME)/ready

# A plug-in's own suite, from its own folder as its author runs it. Two at a time, each one's output in
# one piece where make can; those that measure time have the machine to themselves.
SYNC := $(if $(filter output-sync,$(.FEATURES)),--output-sync)
$(SUITES): $(READY)
	cd $(@D) && $(CURDIR)/$(BIN)/python -m pytest -q

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

bench: $(READY)
	$(BIN)/python -m pytest bench --benchmark-enable --benchmark-quiet -q

# Side by side with other tools, each in an environment of its own below build/peers; half an hour.
peers: $(READY)
	$(BIN)/python bench/peers/run.py

# The site in build/site, its reference and the output that it shows made anew.
docs: $(READY)
	$(BIN)/python docs/make_reference.py
	$(BIN)/python docs/snippets.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

clean:
	rm -rf $(VENV) $(JUDGES) $(LABELME) build .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks

$(READY): pyproject.toml constraints.txt $(wildcard plugins/*/pyproject.toml)
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "segfmt needs Python >= 3.11; try make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "pip>=25.1"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --editable . --group dev $(PLUGINS:%=--editable %)
	touch $@

# Tools that judge what segfmt writes, each in an environment of its own: they do not run under the
# versions that segfmt is tested with.
$(JUDGES)/ready $(LABELME)/ready: .venv-%/ready: pyproject.toml
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/python -m pip install --quiet --disable-pip-version-check "pip>=25.1"
	$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --group $*
	touch $@
