# citybrain: everything a person types. Needs Python 3.11-3.13, make and a package registry.

VENV ?= .venv
BIN := $(VENV)/bin
# The first of these that really runs and is of a version we support; override with PYTHON=...
SUPPORTED := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3 python; do \
	$$p -c '$(SUPPORTED)' >/dev/null 2>&1 && command -v $$p && break; done)
RUNTIME := $(VENV)/.installed
DEVELOPMENT := $(VENV)/.installed-dev
LOCK := $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-annotate --no-header --quiet --upgrade --group build pyproject.toml

# Long tests are for people who ask for them; CI=true also wants a browser and chaos.
ifeq ($(CI),true)
MARKERS := not long
else
MARKERS := not long and not browser and not chaos
endif
PYTEST_ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help up down test check chaos-long bench bench-quick bench-rivals lock clean
.DELETE_ON_ERROR:

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

up: $(RUNTIME) ## install, start citybrain and play a typhoon over a simulated Zhejiang
	@$(BIN)/citybrain up --play typhoon

down: $(RUNTIME) ## stop it; the data stays (also for ever: citybrain down --purge)
	@$(BIN)/citybrain down

test: $(DEVELOPMENT) ## run the tests (CI=true: with browser and chaos)
	$(BIN)/python -m pytest -m "$(MARKERS)" $(PYTEST_ARGS)

check: $(DEVELOPMENT) ## formatting, lint, types, import rules and unit tests
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q -n auto tests/unit

# Faults at random moments, over both hosts. `make chaos-long ROUNDS=60 SEED=7 HOST=faust`
ROUNDS ?= 36
SEED ?= 20261124
HOST ?= table or faust

chaos-long: $(DEVELOPMENT) ## kill, stop, cut and fill up under load, for as many ROUNDS as given
	CHAOS_ROUNDS=$(ROUNDS) CHAOS_SEED=$(SEED) $(BIN)/python -m pytest -s -m "chaos and long" \
		-k "$(HOST)" tests/chaos $(PYTEST_ARGS)

bench: $(DEVELOPMENT) ## all benchmarks but the rivals (an hour; on a machine that does nothing else)
	@$(BIN)/python -m benchmarks.quick
	@for name in throughput latency backlog growth reads recovery; do \
		$(BIN)/python -m benchmarks.engine.$$name || exit 1; done
	@for name in layout storage backfill boards deliver gateway_overload gateway_rates; do \
		$(BIN)/python -m benchmarks.$$name || exit 1; done

bench-quick: $(DEVELOPMENT) ## the engine's main figures in short runs (Kafka and TimescaleDB natively, ~6 min)
	@$(BIN)/python -m benchmarks.engine $(BENCH_ARGS)

bench-rivals: $(DEVELOPMENT) ## citybrain beside Faust, Quix Streams, Bytewax, Kafka Streams (~15 min)
	@$(BIN)/python -m benchmarks.side_by_side $(BENCH_ARGS)

lock: $(DEVELOPMENT) ## choose the newest allowed versions and write the lock files
	$(LOCK) -o requirements.lock
	$(LOCK) --extra dev -o requirements-dev.lock

clean: ## remove the virtual environment, caches and build products (not the data in var)
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis \
		.import_linter_cache
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo 'no Python 3.11, 3.12 or 3.13 found: install one, or make PYTHON=/path/to/python' >&2; exit 1; }
	@"$(PYTHON)" -m venv $(VENV) 2>/dev/null || { "$(PYTHON)" -m venv --clear --without-pip $(VENV) \
		&& "$(PYTHON)" -m pip --python $(VENV) install --quiet pip; } \
		|| { echo 'this Python can make no virtual environment: install its venv module' >&2; exit 1; }

$(RUNTIME): requirements.lock pyproject.toml | $(BIN)/python
	@sh deploy/install.sh $(BIN) requirements.lock
	@touch $@

$(DEVELOPMENT): requirements-dev.lock pyproject.toml | $(BIN)/python
	@sh deploy/install.sh $(BIN) requirements-dev.lock
	@touch $(RUNTIME) $@
