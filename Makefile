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
