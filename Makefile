# Candlestream. Needs Python 3.11+, make and git; everything else goes into .venv and frontend/node_modules.
#
#   make demo   [ONCE=1] [DATA=folder] [PORT=n]   a whole market, backtested before your eyes
#   make serve  [DATA=folder] [PORT=n]            the same servers without the run
#   make test   [TESTS="path …"] [KILLS=n]        all tests, on SQLite and on PostgreSQL
#   make check                                    formatting, types, layers, templates, compose file
#   make bench  [BENCH=name]                      every speed claim, measured here
#   make build                                    the front end only
#   make lock                                     resolve requirements*.in into hashed locks

PYTHON ?= python3
SHELL := /bin/sh
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

BIN := .venv/bin
# A home folder may be missing, as in a container: caches then go into .venv.
ifeq ($(strip $(HOME)),)
export HOME := $(CURDIR)/.venv/home
endif
export PATH := $(CURDIR)/$(BIN):$(PATH)
export UV_LINK_MODE ?= copy
export UV_NO_PROGRESS ?= 1
export PIP_DISABLE_PIP_VERSION_CHECK ?= 1
export PYTHONUNBUFFERED ?= 1
export PYRIGHT_PYTHON_IGNORE_WARNINGS ?= 1
# Every process would compile all its modules anew, which takes three times as long as the rest of its start.
unexport PYTHONDONTWRITEBYTECODE
# Tests and servers end when make does, even when make is killed.
export END_WITH_PARENT := 1

VENV := .venv/.created
RUNTIME := .venv/.runtime
TOOLS := .venv/.tools
NODE := .venv/.node
NODE_MODULES := frontend/node_modules/.installed
FRONTEND := frontend/static/build/.built
FRONTEND_SOURCES := $(shell find frontend/src frontend/public -type f 2>/dev/null) \
	$(wildcard frontend/*.json frontend/*.ts frontend/*.html)

.PHONY: help
help:
	@sed -n '3,9s/^# *//p' Makefile

# --- What is set up once -------------------------------------------------------------------------

$(VENV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Candlestream needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1)." \
		       "Name another one with PYTHON=python3.12." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "$(PYTHON) cannot make virtual environments; on Debian: apt-get install python3-venv" >&2; exit 1; }
	@test -x $(BIN)/python || { echo "Creating .venv"; $(PYTHON) -m venv .venv; }
	@$(BIN)/python -c 'import uv' 2>/dev/null || \
		$(BIN)/python -m pip install --quiet "$$(grep -oE '^uv==[0-9.]+' requirements-dev.txt)"
	@touch $@

$(RUNTIME): requirements.txt | $(VENV)
	@echo "Installing Candlestream's dependencies"
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.txt
	@touch $@

$(TOOLS): requirements-dev.txt $(RUNTIME)
	@echo "Installing tests and tools"
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements-dev.txt
	@touch $@

# The machine's own Node.js where it is new enough for the front end's build, else one from a wheel.
$(NODE): requirements-node.txt | $(VENV)
	@if npm --version >/dev/null 2>&1 && \
		node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 20 || (a == 20 && b >= 19) ? 0 : 1)'; \
	then echo "Using Node.js $$(node --version)"; \
	else echo "Installing Node.js into .venv"; \
		$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements-node.txt; fi
	@touch $@

$(NODE_MODULES): frontend/package.json frontend/package-lock.json $(NODE)
	@echo "Installing the front end's dependencies"
	@cd frontend && npm ci --silent --no-audit --no-fund
	@touch $@

$(FRONTEND): $(NODE_MODULES) $(FRONTEND_SOURCES)
	@echo "Building the front end"
	@cd frontend && npm run --silent build -- --logLevel warn
	@touch $@

# --- What one asks for ---------------------------------------------------------------------------

.PHONY: demo serve test check bench build lock clean
LAUNCH = exec $(BIN)/python -m config.embedded
WITH = $(if $(PORT),--port $(PORT)) $(if $(DATA),--data '$(DATA)')

demo: $(RUNTIME) $(FRONTEND)
	@$(LAUNCH) demo $(WITH) $(if $(ONCE),--once)

serve: $(RUNTIME) $(FRONTEND)
	@$(LAUNCH) serve $(WITH)

# With a DATABASE_URL the suite runs once, there; without one on SQLite, then what uses a database on PostgreSQL.
test: $(TOOLS) $(FRONTEND)
	@failed=0; $(BIN)/pytest $(TESTS) || failed=1; \
	test -n "$(DATABASE_URL)" || TEST_DATABASE=postgres ONLY_DATABASE_TESTS=1 $(BIN)/pytest $(TESTS) || failed=1; \
	exit $$failed

CHECKS := check-lint check-format check-types check-layers check-frontend check-deployment check-django
check: $(CHECKS)
.PHONY: $(CHECKS)
$(CHECKS): $(TOOLS) $(NODE)

check-lint:
	$(BIN)/ruff check .
check-format:
	$(BIN)/ruff format --check .
check-types:
	$(BIN)/pyright
check-layers:
	$(BIN)/lint-imports
check-frontend: $(NODE_MODULES)
	cd frontend && npm run --silent check
check-deployment:
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml
	$(BIN)/hadolint deploy/Dockerfile
check-django: $(FRONTEND)
	DEBUG=1 $(BIN)/python manage.py check
	DEBUG=1 $(BIN)/python manage.py makemigrations --check --dry-run
	SECRET_KEY=$$($(BIN)/python -c 'import secrets; print(secrets.token_hex(32))') BEHIND_TLS_PROXY=1 \
		$(BIN)/python manage.py check --deploy --fail-level WARNING

bench: $(TOOLS) $(FRONTEND)
	@exec $(BIN)/python -m benchmarks $(BENCH)

build: $(FRONTEND)

LOCK = $(BIN)/uv pip compile --quiet --no-emit-index-url --no-emit-find-links --generate-hashes --universal
lock: $(VENV)
	$(LOCK) requirements.in -o requirements.txt
	$(LOCK) requirements-dev.in -o requirements-dev.txt
	$(LOCK) requirements-node.in -o requirements-node.txt

clean:
	rm -rf .venv frontend/node_modules frontend/static/build staticfiles
