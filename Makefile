# The same targets by hand and in continuous integration. Every step leaves a stamp in var/stamps
# when it is finished, and only then: an interrupted one starts again, a finished one is skipped.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory --no-builtin-rules

PYTHON ?= python3
HUTONG_BROWNIE_NETWORK ?= anvil
APT_PACKAGES := chromium postgresql

VENV := var/venv
BIN := $(VENV)/bin
STAMPS := var/stamps
export PYTHON
export PATH := $(CURDIR)/var/bin:$(CURDIR)/node_modules/.bin:$(PATH)
export SOLCX_BINARY_PATH := $(CURDIR)/var/solc
# Tools that insist on a home of their own find one, even where HOME is empty or not writable.
export HOME := $(if $(HOME),$(if $(wildcard $(HOME)/.),$(HOME),$(CURDIR)/var/home),$(CURDIR)/var/home)

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# --- setting up ------------------------------------------------------------------------------

$(STAMPS):
	@mkdir -p $@ var/home

$(STAMPS)/venv: requirements.lock pyproject.toml scripts/setup-venv.sh | $(STAMPS)
	@mkdir -p backend/hutong
	@scripts/setup-venv.sh $(VENV) requirements.lock --editable .
	@touch $@

$(STAMPS)/node: scripts/setup-node.sh | $(STAMPS)
	@scripts/setup-node.sh
	@touch $@

$(STAMPS)/node_modules: package.json package-lock.json $(STAMPS)/node
	@echo "  npm       package-lock.json into node_modules"
	@npm ci --no-audit --no-fund --no-update-notifier --loglevel=error
	@touch $@

$(STAMPS)/solc: $(STAMPS)/node_modules scripts/setup-solc.sh scripts/solc-shim.js contracts/settings.json
	@scripts/setup-solc.sh
	@touch $@

$(STAMPS)/brownie: requirements-brownie.txt scripts/setup-venv.sh $(STAMPS)/solc
	@echo "  brownie   building it interpreted takes about a minute"
	@BROWNIE_NOCOMPILE=1 scripts/setup-venv.sh var/brownie-venv requirements-brownie.txt
	@touch $@

.PHONY: setup setup-brownie setup-system compile
setup: $(STAMPS)/venv $(STAMPS)/solc compile ## Install everything that runs: Python, Node, solc, contracts

setup-brownie: $(STAMPS)/brownie ## Install Brownie in an environment of its own

setup-system: ## Install a browser and PostgreSQL from Debian, when root
	@scripts/setup-system.sh $(APT_PACKAGES)

compile: $(STAMPS)/venv $(STAMPS)/solc ## Compile the contracts, if they have changed
	@$(BIN)/python scripts/compile.py

# --- running ---------------------------------------------------------------------------------

.PHONY: run bench
run: setup ## Start a chain, deploy, and serve the gateway on this machine
	@$(BIN)/hutong up

bench: setup ## Measure throughput and latency against the budgets
	@$(BIN)/python -m tests.benchmarks.run

# --- testing ---------------------------------------------------------------------------------

TIERS := unit contracts forge integration e2e
.PHONY: test invariants-long $(TIERS:%=test-%)
test: setup setup-brownie ## Run every tier of tests
	@scripts/setup-system.sh $(APT_PACKAGES) || true
	@scripts/run-tiers.sh $(TIERS)

test-unit: setup ## Pure rules, no node, no server
	@$(BIN)/python -m pytest tests/unit

test-contracts: setup setup-brownie ## Contracts by Brownie (HUTONG_BROWNIE_NETWORK=anvil|ganache)
	@scripts/brownie.sh test tests/contracts -c tests/contracts/pytest.ini --rootdir . \
	    --network $(HUTONG_BROWNIE_NETWORK)

test-forge: $(STAMPS)/solc ## Contracts' invariants by forge
	@forge test --offline

test-integration: setup ## Gateway, ledger and database against a real node
	@scripts/setup-system.sh postgresql
	@$(BIN)/python -m pytest tests/integration

test-e2e: setup ## The whole system through HTTP and a browser
	@scripts/setup-system.sh chromium
	@$(BIN)/python -m pytest tests/e2e

invariants-long: $(STAMPS)/solc ## Each invariant with more than a million calls (an hour or more)
	@FOUNDRY_PROFILE=long forge test --offline --match-test '^invariant'

# --- keeping it tidy -------------------------------------------------------------------------

.PHONY: lint format lock clean distclean
lint: setup ## Check style, types, imports, settings and contracts
	@scripts/run-lints.sh

format: setup ## Rewrite Python and Solidity in the house style
	@$(BIN)/ruff check --fix-only --quiet . && $(BIN)/ruff format --quiet .
	@forge fmt

lock: ## Choose the newest versions anew and write requirements.lock
	@scripts/lock.sh

clean: ## Remove what compiling and testing left; keep installed tools and running chains
	@rm -rf build var/forge var/brownie var/home .pytest_cache .ruff_cache .mypy_cache \
	    .import_linter_cache .hypothesis

distclean: clean ## Remove all that was installed too; var/ data of `hutong up` stays
	@rm -rf node_modules $(VENV) var/brownie-venv var/node-venv var/bin var/solc $(STAMPS)
