# make verify   prove every claim again, from the definitions up (REPORT=DIR keeps the evidence, and writes a page)
# make test     run the test suite
#
# From a fresh clone each of them first creates .venv and installs what it needs (see .ci/prepare).
# make PYTHON=python3.13 VENV=.venv-3.13 test    another interpreter, in an environment of its own

PYTHON ?=
VENV ?= .venv
export PYTHON

.NOTPARALLEL:
.PHONY: help verify test quick check format lint types rooms site look lowest kernel notebooks clean

help:
	@sed -n 's/^# \(make.*\)/\1/p' Makefile

verify: $(VENV)/.installed
	@$(VENV)/bin/geomrelu verify $(if $(REPORT),--report $(REPORT))

test: $(VENV)/.installed-dev
	@$(VENV)/bin/python -m pytest

# make quick    the tests that take a moment
quick: $(VENV)/.installed-dev
	@$(VENV)/bin/python -m pytest -m "not slow"

# make check    format, lint, types and who imports whom (with -k: all four, even after a failure)
check: format lint types rooms

format: $(VENV)/.installed-dev
	@$(VENV)/bin/ruff format --check .

lint: $(VENV)/.installed-dev
	@$(VENV)/bin/ruff check .

types: $(VENV)/.installed-dev
	@$(VENV)/bin/mypy
	@$(VENV)/bin/mypy --config-file tests/mypy.ini

rooms: $(VENV)/.installed-dev
	@$(VENV)/bin/lint-imports --no-logo

# make site     build the documentation, to build/site/html: no warning, no broken link, no other host
site: $(VENV)/.installed-dev
	@$(VENV)/bin/python .ci/site/build.py

# make look     open each of its pages in Chromium, as wide as a desk and as a phone (some minutes)
look: site
	@$(VENV)/bin/python .ci/site/look.py

# make lowest   the quick tests with the oldest versions of everything that pyproject.toml allows
lowest:
	@.ci/lowest

# make kernel    check the proofs of the judge's rules in Coq and build the program extracted from them
kernel:
	@.ci/kernel

# make notebooks    write the examples and proofs as Jupyter notebooks, to notebooks/
notebooks:
	@$(or $(PYTHON),python3) .ci/notebooks.py notebooks examples/*.py proofs/*.py
	@echo "notebooks/: run them in $(VENV) (jupyter is not installed there)"

# make clean    remove what make and the tools wrote
clean:
	rm -rf $(VENV) build dist notebooks proofs/kernel/build .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamps: written when an installation is complete, out of date when pyproject.toml changes.
$(VENV)/.installed: pyproject.toml .ci/prepare
	@.ci/prepare $(VENV) onnx
	@touch $@

$(VENV)/.installed-dev: pyproject.toml .ci/prepare
	@.ci/prepare $(VENV) dev,onnx
	@touch $@ $(VENV)/.installed
