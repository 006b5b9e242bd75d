.DEFAULT_GOAL := help
SHELL := /bin/bash

# The newest Python that is at hand, 3.11 at least; or the one you name: make PYTHON=/path/to/python test
PYTHON ?= $(firstword $(foreach v,3.11 3.12 3.13 3.14,$(shell command -v python$(v) 2>/dev/null)) python3)
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
UNIT := tests/jobs tests/sdk tests/repo

.PHONY: help demo up test test-unit test-integration coverage bench lint fmt build proto locks clean

help: ## lists the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "GoTask needs Python 3.11 or later; $(PYTHON) is older. Name one: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.installed: $(VENV)/.python requirements-dev.lock pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: $(VENV)/.installed ## starts everything, runs example jobs, stays up (ARGS=--once: ends by itself)
	$(BIN)/gotask demo $(ARGS)

up: $(VENV)/.installed ## starts everything (ARGS: see gotask up --help)
	$(BIN)/gotask up $(ARGS)

test: lint ## every check and every test
	$(BIN)/python -m pytest $(ARGS)

test-unit: $(VENV)/.installed ## the tests that need no server
	$(BIN)/python -m pytest $(UNIT) $(ARGS)

test-integration: $(VENV)/.installed ## the tests over real servers and processes
	$(BIN)/python -m pytest $(addprefix --ignore=,$(UNIT)) $(ARGS)

coverage: $(VENV)/.installed ## the tests, with a report of the lines they reach
	$(BIN)/coverage run -m pytest --ignore=tests/e2e $(ARGS)
	$(BIN)/coverage report

bench: $(VENV)/.installed ## jobs per second, CPU per job, latencies (ARGS: see python -m tools.bench --help)
	@$(BIN)/python -m tools.bench $(ARGS)

lint: $(VENV)/.installed ## ruff, mypy, import rules, generated code, locks
	@$(BIN)/python -m tools.checks

fmt: $(VENV)/.installed ## formats the code
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

build: $(VENV)/.installed ## builds the wheel and the source distribution into dist/
	$(BIN)/python -m build --no-isolation

proto: $(VENV)/.installed ## generates libs/gotask/v1 from proto/
	$(BIN)/python -m tools.proto

locks: $(VENV)/.installed ## resolves pyproject.toml into the lock files (ARGS=--upgrade: newest versions)
	$(BIN)/python -m tools.locks $(ARGS)

clean: ## removes what was built or installed here, but not .gotask
	rm -rf $(VENV) dist htmlcov .coverage .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
