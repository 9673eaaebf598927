# Each target sets up what it needs first; a second call finds it done.
SHELL := /bin/sh
.DEFAULT_GOAL := help
ENGINE ?=
JOBS ?= auto
PY := .venv/bin/python
export PYTHONUNBUFFERED := 1

.PHONY: help setup engines run demo test journeys check fmt docs migrate verify bench fuzz prove reset lock

help: ## What one can ask for
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## The Python environment, from the lock
	@bin/setup

run: setup ## The whole back office with two demo agencies, in the foreground (ENGINE=cluster for the real server)
	@exec $(PY) -m cli up --demo $(if $(ENGINE),--engine $(ENGINE))

demo: setup ## A month of trading through HTTP against a fresh home; documents end up in out/
	@exec $(PY) -m cli demo $(if $(ENGINE),--engine $(ENGINE))

check: setup ## Rules and types
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check --quiet .
	@.venv/bin/mypy
	@.venv/bin/lint-imports --no-logo
	@$(PY) -m pytest -q tests/test_house_rules.py

engines: setup
	@$(PY) -m supervisor.fetch $(or $(ENGINE),dev)

test: check engines ## The rules, the whole suite in parallel, the journeys on the real server too (ENGINE=cluster: all on it)
	@ALLOTMENT_TEST_ENGINE=$(or $(ENGINE),dev) $(PY) -m pytest -n $(JOBS) --dist worksteal
	@if [ "$(or $(ENGINE),dev)" != cluster ]; then $(MAKE) --no-print-directory journeys ENGINE=cluster; fi

journeys: setup ## The journeys alone (ENGINE=cluster: on the real server; left out where that cannot be had)
	@if $(PY) -m supervisor.fetch $(or $(ENGINE),dev); then \
		ALLOTMENT_TEST_ENGINE=$(or $(ENGINE),dev) exec $(PY) -m pytest -n $(JOBS) --dist worksteal tests/journeys; \
	else echo 'journeys  left out: this machine cannot have that engine'; fi

fmt: setup ## Formats and mends what can be mended
	@.venv/bin/ruff format --quiet .
	@.venv/bin/ruff check --fix --quiet .

docs: setup ## The pages that are made from the code, and from what bench and prove found
	@exec $(PY) -m docs.write

migrate: setup ## The newest tables in the home's database
	@exec $(PY) -m cli migrate

verify: setup ## The invariants over all tenants of the home
	@exec $(PY) -m cli verify

bench: setup ## How close to the bare database we run: PERFORMANCE.md (ROWS=reserve,..., BENCH=full)
	@exec $(PY) -m bench

fuzz: setup ## Random requests of every operation for an hour (MINUTES=60)
	@exec $(PY) -W ignore -m tests.api.fuzzing --minutes $(or $(MINUTES),60)

prove: setup ## Races and kills: RELIABILITY.md (MINUTES=45 SEED= SHARE= RACES= KILLS= ALL=1 FRESH=1)
	@exec $(PY) -m prove

reset: setup ## Forgets everything in the home
	@exec $(PY) -m cli reset --yes

lock: setup ## Newest versions into the two locks
	@.venv/bin/uv pip compile --quiet --universal --python-version 3.11 --upgrade --generate-hashes --no-emit-index-url \
		--no-header --no-annotate pyproject.toml -o requirements.lock
	@.venv/bin/uv pip compile --quiet --universal --python-version 3.11 --upgrade --generate-hashes --no-emit-index-url \
		--no-header --no-annotate pyproject.toml --group dev -c requirements.lock -o requirements-dev.lock
