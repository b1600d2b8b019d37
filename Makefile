# Each target sets up all it needs: a virtual environment in .venv, with what pyproject.toml names in
# the versions that constraints.txt pins. PYTHON chooses the interpreter, >= 3.11.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
JUDGES := .venv-judges
PLUGINS := $(wildcard plugins/segfmt-*)

.PHONY: demo test lint bench clean
.DELETE_ON_ERROR:

demo: $(READY)
	$(BIN)/python docs/demo/run.py build/demo

test: $(READY) $(JUDGES)/ready
	SEGFMT_CITYSCAPESSCRIPTS_PYTHON=$(CURDIR)/$(JUDGES)/bin/python $(BIN)/python -m pytest
	for plugin in $(PLUGINS); do (cd $$plugin && $(CURDIR)/$(BIN)/python -m pytest) || exit 1; done

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

bench: $(READY)
	$(BIN)/python -m pytest bench --benchmark-enable --benchmark-quiet -q

clean:
	rm -rf $(VENV) $(JUDGES) build .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks

$(READY): pyproject.toml constraints.txt $(wildcard plugins/*/pyproject.toml)
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "segfmt needs Python >= 3.11; try make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "pip>=25.1"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --editable . --group dev $(PLUGINS:%=--editable %)
	touch $@

$(JUDGES)/ready: pyproject.toml
	$(PYTHON) -m venv $(JUDGES)
	$(JUDGES)/bin/python -m pip install --quiet --disable-pip-version-check "pip>=25.1"
	$(JUDGES)/bin/python -m pip install --quiet --disable-pip-version-check --group judges
	touch $@
