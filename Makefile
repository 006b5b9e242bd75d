# GoTask: everything a developer does. `make` alone explains.

VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
HISTORIES ?= 5000
PROCESSES ?= 2

# The first Python that is new enough; `make PYTHON=/path/to/python …` chooses another.
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c '$(NEW_ENOUGH)' 2>/dev/null && { echo $$python; break; }; done)

PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet
UNIT := $(wildcard tests/jobs tests/sdk tests/repo)
SPREAD := -n $(PROCESSES) --no-loadscope-reorder

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s%s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

# Running

.PHONY: demo
demo: $(VENV)/.runtime ## Start everything, run example jobs and watch them (ARGS=--once ends by itself)
	@$(BIN)/gotask demo $(ARGS)

.PHONY: up
up: $(VENV)/.runtime ## Start NATS, Valkey and the five services (ARGS="--storage memory", …)
	@$(BIN)/gotask up $(ARGS)

.PHONY: bench
bench: $(VENV)/.dev ## Measure jobs/s, CPU per job and latency (ARGS=--json, …)
	@$(BIN)/python -m tools.bench $(ARGS)

.PHONY: bench-time
bench-time: $(VENV)/.dev ## Measure how late delayed jobs, retries and schedules are (ARGS=--json, …)
	@$(BIN)/python -m tools.bench_time $(ARGS)

.PHONY: bench-storage
bench-storage: $(VENV)/.dev ## Measure each storage by itself, a million jobs waiting (ARGS="--storage redis", …)
	@$(BIN)/python -m tools.bench_storage $(ARGS)

.PHONY: bench-workers
bench-workers: $(VENV)/.dev ## Measure a fleet of 1,200 workers, idle and when work comes (ARGS="--workers 1200", …)
	@$(BIN)/python -m tools.bench_workers $(ARGS)

.PHONY: bench-gateway
bench-gateway: $(VENV)/.dev ## Measure the gateway: single jobs, batches, gRPC streams (ARGS=--json, …)
	@$(BIN)/python -m tools.bench_gateway $(ARGS)

.PHONY: bench-tracing
bench-tracing: $(VENV)/.dev ## Measure what traces cost, off against 1 % of jobs sampled (ARGS="--share 0.01", …)
	@$(BIN)/python -m tools.bench_tracing $(ARGS)

.PHONY: trace
trace: $(VENV)/.dev ## Print the trace of a job that is retried, as an OTLP receiver gets it
	@$(BIN)/python -m tools.trace

.PHONY: bench-dashboard
bench-dashboard: $(VENV)/.dev ## Measure the dashboard in Chromium with 100 queues and a million jobs (ARGS="--jobs 100000", …)
	@$(BIN)/python -m tools.bench_dashboard $(ARGS)

# Checking

.PHONY: test
test: lint ## Run every check and every test (ARGS="-k retry", PROCESSES=0 for one process, …)
	@$(BIN)/python -m pytest $(SPREAD) $(ARGS)

.PHONY: test-unit
test-unit: $(VENV)/.dev ## Run the tests that need no server
	@$(BIN)/python -m pytest $(UNIT) $(ARGS)

.PHONY: test-integration
test-integration: $(VENV)/.dev ## Run the tests against real servers
	@$(BIN)/python -m pytest tests $(addprefix --ignore=,$(UNIT)) $(SPREAD) $(ARGS)

.PHONY: histories
histories: $(VENV)/.dev ## Compare every storage with its model over thousands of random histories (HISTORIES=5000)
	@GOTASK_TEST_HISTORIES=$(HISTORIES) $(BIN)/python -m pytest tests/storage/test_model.py $(ARGS)

.PHONY: chaos
chaos: $(VENV)/.dev ## Kill and pause everything at random while jobs run, then check each job (ARGS="--seconds 60 --seed 7", …)
	@$(BIN)/python -m tools.chaos $(ARGS)

.PHONY: coverage
coverage: $(VENV)/.dev ## Run the tests except tests/e2e and show what they did not reach
	@$(BIN)/coverage erase
	@$(BIN)/coverage run -m pytest --ignore=tests/e2e $(ARGS)
	@$(BIN)/coverage report --skip-covered

.PHONY: lint
lint: $(VENV)/.dev ## Check style, types, imports, generated code and lock files
	@$(BIN)/python -m tools.checks

# Changing

.PHONY: fmt
fmt: $(VENV)/.dev ## Format the code and repair what ruff can
	@$(BIN)/ruff check --fix --quiet
	@$(BIN)/ruff format --quiet

.PHONY: proto
proto: $(VENV)/.dev ## Generate libs/gotask/v1 from proto/
	@$(BIN)/python -m tools.proto

.PHONY: proto-baseline
proto-baseline: $(VENV)/.dev ## Make today's proto/ what later versions must understand: with each release
	@$(BIN)/python -m tools.compatibility --renew

.PHONY: stored-baseline
stored-baseline: $(VENV)/.dev ## Record what today's version stores, which later versions must read: with each release
	@$(BIN)/python -m tools.stored

.PHONY: reference
reference: $(VENV)/.dev ## Write docs/reference from the settings, the REST API and proto/
	@$(BIN)/python -m tools.reference

.PHONY: docs
docs: $(VENV)/.dev ## Build the documentation into dist/site
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

.PHONY: locks
locks: $(VENV)/.dev ## Resolve pyproject.toml into the lock files (ARGS=--upgrade for newer versions)
	@$(BIN)/python -m tools.locks $(ARGS)

.PHONY: build
build: $(VENV)/.dev ## Build the sdist and the wheel into dist/
	@$(BIN)/python -m build --no-isolation --outdir dist

.PHONY: pants
pants: $(VENV)/.dev ## Check the Pants build and package the services' PEX files (ARGS=worker, …)
	@$(BIN)/python -m tools.pants $(ARGS)

.PHONY: clean
clean: ## Remove what was built or installed here, but not the data in .gotask
	rm -rf $(VENV) dist htmlcov .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	find libs services tests tools -name __pycache__ -type d -prune -exec rm -rf {} +

# What is installed, remembered as files: nothing is done twice, and a changed lock file installs anew.

$(BIN)/python:
	@test -n "$(PYTHON)" && $(PYTHON) -c '$(NEW_ENOUGH)' || { \
		echo "GoTask needs Python 3.11 or newer: $(if $(PYTHON),$(PYTHON) is not,none found on PATH). Install one, or name it: make PYTHON=/path/to/python3.11 …" >&2; exit 1; }
	@echo "Making $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo "python -m venv failed, see above (Debian and Ubuntu have it in the package python3-venv)" >&2; exit 1; }

$(VENV)/.runtime: requirements.lock requirements-build.lock pyproject.toml | $(BIN)/python
	@echo "Installing what GoTask needs"
	@$(PIP) --require-hashes -r requirements.lock -r requirements-build.lock
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.runtime
	@echo "Installing what its development needs"
	@$(PIP) --require-hashes -r requirements-dev.lock
	@touch $@
