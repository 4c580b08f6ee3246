# Every step of CI is a target here. `make help` lists them.
PYTHON := $(shell command -v python3.11 || command -v python3 || echo python3)
VENV := .venv/bin
LOCAL := $(PYTHON) infra/local
.DEFAULT_GOAL := help

##@ Run
.PHONY: run up down status logs reset infra infra-down
run:            ## install what is missing, start everything, stay in front; Ctrl-C stops it
	@$(LOCAL) run
up:             ## the same in the background
	@$(LOCAL) up
down:           ## stop what `up` started, in order
	@$(LOCAL) down
status:         ## one line per process
	@$(LOCAL) status
logs:           ## follow the logs (P=name for one process)
	@$(LOCAL) logs --process "$(P)"
reset:          ## empty database, broker, files and secrets of this checkout
	@$(LOCAL) reset
infra:          ## only the private PostgreSQL and RabbitMQ, in the background
	@$(LOCAL) infra-up
infra-down:     ## stop everything, PostgreSQL and RabbitMQ too
	@$(LOCAL) infra-down

##@ Test
.PHONY: test faults mutants check lint types arrows format
test:           ## every test, on servers of its own (T=path for a part, e.g. T=tests/unit)
	@$(LOCAL) test -- $(T)
faults:         ## the full fault suite (FAULTS_SCALE=0.1 for a tenth, FAULTS_SEED=n for other moments); writes a report
	@report=.local-$${PINGAN_INSTANCE:-test}/faults-report.md; rm -f $$report; \
	FAULTS=full $(LOCAL) test -- tests/faults -s; status=$$?; \
	if [ -f $$report ]; then echo "report: $$report"; tail -n 1 $$report; else status=1; fi; exit $$status
mutants: bootstrap ## take out one guard after another: a named test must turn red each time (M=name for one)
	@$(VENV)/python -m tests.mutants $(if $(M),"$(M)")
check: lint types arrows ## ruff, mypy, the arrows, names and sizes
lint: bootstrap
	$(VENV)/ruff check .
	$(VENV)/ruff format --check .
types: bootstrap
	$(VENV)/mypy
arrows: bootstrap
	$(VENV)/lint-imports --no-logo
	$(VENV)/python -m pytest -q tests/architecture
.PHONY: k8s-check
k8s-check: bootstrap infra ## the Kubernetes manifests: schemas, references, and each process with its settings alone
	CI=true $(VENV)/python -m pytest -q tests/k8s
.PHONY: images
images: bootstrap infra ## build both images without a daemon and ask the gateway of one (BASE=image to build from another)
	@$(VENV)/python -m infra.images
format: bootstrap ## let ruff write the files as it wants them
	$(VENV)/ruff check --fix .
	$(VENV)/ruff format .

##@ Measure
.PHONY: bench
bench: bootstrap infra ## commands, latency, pages, tiles, cells, events beside their references (B=b6 for one, BENCH_QUICK=1 to try)
	$(VENV)/python -m bench $(B)

##@ Maintain
.PHONY: bootstrap requirements help
.PHONY: contracts
contracts: bootstrap ## write schemas, examples, asyncapi.yaml, openapi.json and the event map
	$(VENV)/python -m contracts.generate
.PHONY: holidays
holidays: bootstrap ## write the PRC's days off and make-up days anew from the package that types the notices in
	$(VENV)/python scripts/prc_days.py
.PHONY: release-contracts
release-contracts: contracts ## promise the event schemas and the API as they are now: from then on they only gain
	$(VENV)/python -m contracts.release
bootstrap:      ## install what tests and checks need, start nothing
	@$(LOCAL) bootstrap --dev
requirements: bootstrap ## compile requirements/*.in into hashed .txt (UP=1 takes newer releases)
	$(VENV)/uv pip compile -q --generate-hashes --no-emit-index-url --python-version 3.11 --custom-compile-command "make requirements" $(if $(UP),--upgrade) requirements/runtime.in -o requirements/runtime.txt
	$(VENV)/uv pip compile -q --generate-hashes --no-emit-index-url --python-version 3.11 --custom-compile-command "make requirements" $(if $(UP),--upgrade) requirements/console.in -o requirements/console.txt
	$(VENV)/uv pip compile -q --generate-hashes --no-emit-index-url --python-version 3.11 --custom-compile-command "make requirements" $(if $(UP),--upgrade) -c requirements/runtime.txt requirements/dev.in -o requirements/dev.txt
	$(VENV)/uv pip compile -q --generate-hashes --no-emit-index-url --python-version 3.11 --custom-compile-command "make requirements" $(if $(UP),--upgrade) requirements/bench.in -o requirements/bench.txt

help:           ## this list
	@awk 'BEGIN {FS = ":.*## "} /^##@ / {printf "\n%s\n", substr($$0, 5)} /^[a-z0-9-]+:.*## / {sub(/:.*/, "", $$1); printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
