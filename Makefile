# One command, the same everywhere. `make` alone lists the targets.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-print-directory
VENV := .venv/bin
# Scenarios mostly wait, so that two users run them side by side; only root can become two users.
WORKERS ?= $(if $(filter 0,$(shell id -u)),2,0)
PYTEST := $(VENV)/pytest -q -n $(WORKERS) --dist loadfile

.PHONY: help setup demo demo-down test check style types imports unit programs scenarios runtimes e2e
.PHONY: conformance build-conformance bench pythons vm-test map clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install what is missing (system packages with root or sudo, libraries in .venv)
	@contrib/setup/install.sh

demo: setup ## build and bring up examples/compose/hello as an ordinary user
	@contrib/setup/demo.sh up

demo-down: ## take the demo down again
	@contrib/setup/demo.sh down

test: setup style types imports ## everything: style, types, imports, and all tests on real parts
	@$(MAKE) runtimes
	$(PYTEST) tests
	@echo "cntnr: all checks passed"

check: setup style types imports unit ## what to run before each commit: needs no root, takes seconds

style:
	$(VENV)/ruff format --check .
	$(VENV)/ruff check .

types:
	$(VENV)/mypy

imports: ## who may import whom, by the contracts in pyproject.toml
	$(VENV)/lint-imports --no-cache

map: ## write what is made of the code: docs/map.*, docs/compatibility.md, docs/commands, man/cntnr.1
	$(VENV)/python contrib/map/draw.py

unit: ## tests that start no program
	$(VENV)/pytest -q tests/unit tests/fakes tests/test_house.py

programs: ## tests of the adapters against fake programs
	$(VENV)/pytest -q tests/programs

scenarios: setup ## end to end, as an ordinary user, on real parts
	$(PYTEST) tests/scenarios

runtimes: setup ## scenarios that show what runc and crun do differently, with crun
	CNTNR_TEST_RUNTIME=crun $(PYTEST) -m runtimes tests/scenarios

e2e: scenarios

conformance: setup ## compare with what docker compose prints and does
	$(VENV)/python -m tests.conformance.run

build-conformance: setup ## build each case with ours, and with BuildKit and buildah where they can be had
	$(VENV)/python -m tests.build_conformance.run

bench: setup ## measure beside docker compose and podman-compose, where installed
	contrib/bench/run.sh

pythons: setup ## run the tests of units and adapters with another Python, that of a suite [SUITE=trixie]
	$(VENV)/python -m contrib.pythons.run $(or $(SUITE),sid)

vm-test: setup ## check promises on a machine with systemd, under qemu [SUITE=trixie|sid] [ROWS='limits-*']
	$(VENV)/python -m contrib.vm.run $(or $(SUITE),bookworm) $(ROWS)

clean: ## remove .venv, caches and the copies made for the test user
	@for user in "$${CNTNR_TEST_USER:-cntnr-test}"{,-2}; do \
	  if [ "$$(id -u)" = 0 ] && id "$$user" >/dev/null 2>&1; then \
	    python3 contrib/setup/mirror.py "$$user" --remove; fi; done
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis dist build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
