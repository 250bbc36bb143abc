# Everything runs from .venv inside this folder. Paths are relative, so that a space above this folder does no harm.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python -m
INSTALLED := $(VENV)/installed
TESTS := $(RUN) pytest --numprocesses 2 --no-loadscope-reorder $(if $(NO_SKIPS),--no-skips)
CHECKED := plugins devstack tools dags include compose tests

.PHONY: help demo up down test unit integration proof e2e prove bench lint format package compatibility system-packages clean
.DEFAULT_GOAL := help

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9 -]+:.*## / {printf "  make %-22s %s\n", $$1, $$2}' Makefile

demo: $(INSTALLED) ## Run every job on real Airflow and PostgreSQL: dry, live, live again
	@$(RUN) devstack demo

up: $(INSTALLED) ## Start PostgreSQL, a mail sink and Airflow, and leave them running
	@$(RUN) devstack up

down: $(INSTALLED) ## Stop what `make up` or an interrupted demo left running
	@$(RUN) devstack down

test: $(INSTALLED) ## Run all tests (NO_SKIPS=1: fail if any is skipped)
	@$(TESTS)

unit integration proof e2e: $(INSTALLED) ## Run the tests of that folder: seconds, two minutes, two minutes, ten minutes
	@$(TESTS) tests/$@

prove: $(INSTALLED) ## Try at length to break what the project promises, and write docs/proof.md (an hour)
	@$(TESTS) tests/proof --long --page docs/proof.md

system-packages: ## Install what some tests use and pip cannot bring (Debian and Ubuntu)
	@tools/system_packages.sh

bench: $(INSTALLED) ## Measure the jobs on a database of production size (ARGS="--tenants 1000")
	@$(RUN) tools.benchmark $(ARGS)

lint: $(INSTALLED) ## Check style and types, and the SQL
	@$(RUN) ruff check $(CHECKED)
	@$(RUN) ruff format --check $(CHECKED)
	@$(RUN) mypy
	@PYTHONPATH=plugins $(VENV)/bin/python -c "from importlinter.cli import lint_imports_command; lint_imports_command()" --no-cache --no-logo
	@$(RUN) tools.lint_sql
	@$(RUN) check_jsonschema --builtin-schema vendor.compose-spec docker-compose.yaml

format: $(INSTALLED) ## Rewrite the code in the project's style
	@$(RUN) ruff check --fix $(CHECKED)
	@$(RUN) ruff format $(CHECKED)

package: ## Build what Amazon MWAA, Cloud Composer 3 and Astro want, in dist/
	@$(PYTHON) -m tools.package

compatibility: ## Try other Pythons and Airflow 3.3.1 in environments of their own (downloads, an hour)
	@$(PYTHON) -m tools.compatibility $(ONLY)

clean: ## Delete what demo, stack and tests keep (databases, mail, logs), and dist/
	@if [ -e $(INSTALLED) ]; then $(RUN) devstack down; fi
	rm -rf .local dist .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(INSTALLED): requirements.txt requirements-dev.txt constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
		{ echo "Python 3.11, 3.12 or 3.13 is needed. Name one: make PYTHON=python3.12 ..." >&2; exit 1; }
	@echo "Installing into $(VENV) (a few minutes, only when the requirements change) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(RUN) pip install --quiet --constraint constraints.txt --requirement requirements-dev.txt
	@touch $@
