# Raingauge's commands. Each sets up what it needs by itself; `make run` needs no root.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TRIALS ?= 200
SEED ?= $(shell date +%s)

.DEFAULT_GOAL := help
.PHONY: help setup dev servers run demo test check fix golden trials bench docs lock

help: ## This list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-8s %s\n", $$1, $$2 }'

$(BIN)/raingauge: requirements.lock pyproject.toml package-lock.json
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Raingauge needs Python 3.11 or newer; set PYTHON=."; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { echo "Python's venv module is missing: apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint requirements.lock --editable .
	$(BIN)/python -m dashboard.vendor
	@touch $@

$(VENV)/dev: $(BIN)/raingauge
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint requirements.lock --editable '.[dev]'
	@touch $@

setup: $(BIN)/raingauge ## A virtual environment with all that running needs

dev: $(VENV)/dev

servers: ## The servers and the browser that tests need, from apt (as root, or a message)
	@sh tests/install-servers

run: setup ## Watch this host and print the link to its dashboard
	$(BIN)/raingauge run

demo: setup servers ## The same over a small private web stack, for hosts that have none
	$(BIN)/raingauge demo

test: dev servers ## Everything: lint, types, unit tests, real servers, browser, short trials
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory unit
	RAINGAUGE_EXAMPLES=20 $(BIN)/pytest --numprocesses=2 --dist=loadfile -m "servers and not trials" --durations=20
	RAINGAUGE_TRIALS=5 RAINGAUGE_SEED=$(SEED) $(BIN)/pytest -m trials

coverage: dev servers ## Which lines no test runs
	$(BIN)/pytest -m "not trials" --cov --cov-report=term-missing:skip-covered

check: dev ## Lint, types, import directions, docs and unit tests; five minutes
	@$(MAKE) --no-print-directory --jobs=2 lint unit

.PHONY: lint unit
unit:
	RAINGAUGE_EXAMPLES=20 $(BIN)/pytest --numprocesses=2 -m "not servers and not trials"

lint:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

fix: dev ## Format and mend what ruff can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

golden: dev ## Rewrite the golden outputs; read the diff
	RAINGAUGE_GOLDEN=rewrite $(BIN)/pytest tests/collectors/test_goldens.py

trials: dev servers ## Long random trials; TRIALS= and SEED= choose how many and which
	@echo "trials: TRIALS=$(TRIALS) SEED=$(SEED)"
	RAINGAUGE_TRIALS=$(TRIALS) RAINGAUGE_SEED=$(SEED) $(BIN)/pytest -m trials
	RAINGAUGE_EXAMPLES=200 $(BIN)/pytest -m "not servers and not trials"

bench: dev servers ## Measure what Raingauge costs; figures with their method
	$(BIN)/python -m bench

docs: dev ## Rewrite docs/reference.md and docs/alert-semantics.md from code and tests
	$(BIN)/python -m docs.reference
	$(BIN)/python -m docs.semantics

lock: ## Choose anew the versions in requirements.lock
	rm -rf $(VENV)/lock && $(PYTHON) -m venv $(VENV)/lock
	$(VENV)/lock/bin/pip install --quiet '.[dev]'
	$(VENV)/lock/bin/pip freeze --exclude raingauge > requirements.lock
