# Every command is one line: what it does is in tools/make.py, which needs nothing but Python 3.11.
# Variables given here or in the environment reach it: PORT, ARGS, FROM, SIGNALBOX_HOME, …
PYTHON ?= python3

COMMANDS := up restart stop status healthy test test-slow test-all check bench bench-ui chaos simulate mutants manage backup restore \
	clean lock audit-deps format install prepare web drive effects clock

.DEFAULT_GOAL := help
.PHONY: help $(COMMANDS)

help $(COMMANDS):
	@$(PYTHON) tools/make.py $@
