# Bina: what one does with it. `make` alone lists the commands.
export BINA_ENV ?= development

VENV := .venv
PY := $(VENV)/bin/python
# Written by make-venv when the packages of the lock file are all there.
READY := $(VENV)/complete
CODE := $(wildcard services infra demo chaos tests bench)
COMPOSE = $(shell docker compose version >/dev/null 2>&1 && echo docker compose || echo docker-compose)
LOCK = $(VENV)/bin/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --python-version 3.11

.DEFAULT_GOAL := help
.PHONY: help demo up down reset status ops backup restore token bench chaos test lint format contract access audit \
	audit-image lock clean secrets compose-up compose-down compose-demo compose-token compose-backup compose-restore

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' Makefile

demo: $(READY) ## Play the programme on a fresh system; stays up until Ctrl-C (ONCE=1: ends after it)
	@$(PY) -m demo $(if $(ONCE),--once)

up: $(READY) ## Run the system on data that stay in BINA_HOME (.bina), until Ctrl-C
	@$(PY) -m infra.local up

down: $(READY) ## Stop the system that runs on BINA_HOME
	@$(PY) -m infra.local down

status: $(READY) ## Say whether the system runs on BINA_HOME
	@$(PY) -m infra.local status

ops: $(READY) ## Show its leases, backlog, consumer lag, dead letters and timers
	@$(PY) -m infra.local ops

backup: $(READY) ## Save all databases while it runs, as of one instant (TO=directory)
	@$(PY) -m infra.local backup $(TO)

restore: $(READY) ## Bring a backup back, after make reset: make restore FROM=directory
	@$(PY) -m infra.local restore $(FROM)

reset: $(READY) ## Stop it and remove its data
	@$(PY) -m infra.local reset

token: $(READY) ## Print a token: make -s token ROLES=hr,employee SUB=<id> UNIT=<code>
	@$(PY) -m infra.local token --roles "$(ROLES)" --sub "$(SUB)" --unit "$(UNIT)"

chaos: $(READY) ## Break everything while phones post, then recount (SEED=, MINUTES=3, BROKER=kafka)
	@$(PY) -m chaos $(if $(SEED),--seed $(SEED)) $(if $(MINUTES),--minutes $(MINUTES))

test: $(READY) ## Run all tests against a real MongoDB and broker (BROKER=kafka, CONTAINERS=1, KIND="component e2e")
	@$(PY) -m pytest $(addprefix tests/,$(KIND))

bench: $(READY) ## Measure it against floors and peers (BROKER=kafka; FIGURES="put sync", QUICK=1: a sanity check)
	@$(PY) -m bench $(FIGURES) $(if $(QUICK),--quick)

lint: $(READY) ## Check style, types, import rules, unused code and dependencies, and the published contract
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/mypy $(CODE)
	$(VENV)/bin/lint-imports
	$(VENV)/bin/vulture
	$(VENV)/bin/deptry .
	$(PY) -m infra.contract check

format: $(READY) ## Put code into the common form
	$(VENV)/bin/ruff check --fix
	$(VENV)/bin/ruff format

contract: $(READY) ## Write the OpenAPI and AsyncAPI documents anew from the code
	@$(PY) -m infra.contract write

access: $(READY) ## Write docs/contract/access.md anew: who gets what, from what the services answer
	@BINA_WRITE_ACCESS=1 $(PY) -m pytest -q -n 0 tests/contract/test_access.py

audit: $(READY) ## Ask osv.dev for known faults of the packages in the image (needs the internet)
	@$(VENV)/bin/uv tool run pip-audit==2.10.1 --strict --vulnerability-service osv \
		--disable-pip --require-hashes --requirement requirements-runtime.txt

audit-image: ## Ask Debian which packages of the image it has mended since (needs Docker, and the image: make compose-up)
	@docker run --rm --user 0 --entrypoint sh bina:local -c \
		'apt-get -qq -o APT::Update::Error-Mode=any update && (apt-get -s upgrade | grep ^Inst || echo "None.")'

lock: $(READY) ## Write both lock files anew from pyproject.toml: all of it, and what the image holds
	$(LOCK) --extra local --extra dev --extra bench pyproject.toml -o requirements.txt
	$(LOCK) --constraint requirements.txt pyproject.toml -o requirements-runtime.txt

secrets: ## Make what is secret in docker-compose.yml, once, in .secrets
	@infra/deploy/make-secrets

compose-up: ## Build the image, start the system in containers, and return when it is ready
	$(COMPOSE) up --detach $(if $(findstring docker-compose,$(COMPOSE)),,--wait)

compose-down: ## Stop the containers; their data stay
	$(COMPOSE) down

compose-demo: $(READY) ## Play the story on a system of its own in containers, recount, look at it, lose it, bring it back
	@infra/deploy/rehearse

compose-token: ## Print a token for them: make -s compose-token ROLES=hr,employee SUB=<id> UNIT=<code>
	@ROLES="$(ROLES)" SUB="$(SUB)" UNIT="$(UNIT)" infra/deploy/make-token

compose-backup: ## Save their databases while they run, as of one instant: make compose-backup TO=directory
	@COMPOSE="$(COMPOSE)" infra/deploy/backup save "$(TO)"

compose-restore: ## Bring a backup back into empty volumes: make compose-restore FROM=directory
	@COMPOSE="$(COMPOSE)" infra/deploy/backup load "$(FROM)"

clean: ## Remove the environment and all caches, not the data
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): requirements.txt
	@infra/local/make-venv $(VENV)
