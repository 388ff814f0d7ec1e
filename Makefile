# Everything happens in .venv; the first target that needs it installs it.
SHELL := /bin/bash
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV_VERSION := 0.13.9
PROXY_VERSION := 4.6.3
PROXY := build/hub/node/node_modules/.bin/configurable-http-proxy
READY := $(VENV)/.ready

export PATH := $(CURDIR)/$(BIN):$(PATH)
export NO_ALBUMENTATIONS_UPDATE := 1
export TF_CPP_MIN_LOG_LEVEL := 3

.PHONY: help install demo test lab hub proxy build docs check results calibrate bench attacks lint lock clean

help: ## list the targets
	@echo "Data Augmentation in Deep Learning with TensorFlow"; echo
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1|\2/' | column -t -s '|'

# uv is taken from the machine, or else put into .venv beside Python. Byte code is compiled once, here.
$(READY): requirements.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { \
	  echo "No virtual environment could be made: on Debian or Ubuntu, run 'apt-get install python3-venv'."; exit 1; }
	@uv="$$(command -v uv || true)"; \
	if [ -z "$$uv" ]; then $(BIN)/python -m pip install --quiet --disable-pip-version-check "uv==$(UV_VERSION)" && uv=$(BIN)/uv; fi && \
	"$$uv" pip install --quiet --python $(BIN)/python --compile-bytecode --require-hashes -r requirements.lock && \
	"$$uv" pip install --quiet --python $(BIN)/python --no-deps -e .
	@touch $@

# Other people's code runs in bubblewrap; grading refuses to start without it.
.PHONY: bubblewrap
bubblewrap:
	@command -v bwrap >/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends bubblewrap >/dev/null; \
	  else \
	    echo "bubblewrap is missing: install the package 'bubblewrap', on Debian or Ubuntu with 'sudo apt-get install bubblewrap'."; exit 1; \
	  fi; }

# The tests in tests/browser drive Chromium; where there is none, they are skipped.
.PHONY: chromium
chromium:
	@command -v chromium >/dev/null || \
	  { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq && \
	    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null; } || \
	  echo "chromium is missing, and its tests are skipped: on Debian, 'sudo apt-get install chromium' brings it."

install: $(READY) ## install everything into .venv

demo: $(READY) bubblewrap ## grade a small sample class from end to end
	@$(BIN)/augcourse demo

test: $(READY) bubblewrap chromium ## lint, types and all tests
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy
	@$(BIN)/python -m pytest -n 2 --dist loadgroup

lab: export JUPYTER_CONFIG_PATH := $(CURDIR)/jupyter:$(CURDIR)
lab: export AUGCOURSE_STUDENT_DIR := $(CURDIR)/student
lab: $(READY) ## open JupyterLab on the course
	@$(BIN)/augcourse ready
	@$(BIN)/jupyter lab

# Real accounts need root, which `augcourse hub` explains; JupyterHub's proxy comes from npm, into build/.
hub: $(READY) bubblewrap proxy ## hold a class on this machine: JupyterHub with an instructor and two students
	@$(BIN)/augcourse hub

proxy: $(PROXY)
$(PROXY):
	@command -v npm >/dev/null || { \
	  echo "npm is missing: install Node.js and npm, on Debian or Ubuntu with 'sudo apt-get install npm'."; exit 1; }
	@npm install --silent --no-save --no-package-lock --no-audit --no-fund --ignore-scripts \
	  --prefix build/hub/node "configurable-http-proxy@$(PROXY_VERSION)"

build: $(READY) ## lessons → source → release and solutions
	@$(BIN)/augcourse build

docs: $(READY) ## build the site into build/site
	@$(BIN)/python -m sphinx -b html -W --keep-going -q -d build/doctrees docs build/site

check: $(READY) ## say where lessons, source, release and solutions drift apart
	@$(BIN)/augcourse build --check

results: $(READY) ## train the course's own runs again (MNIST too, where it is prepared)
	@$(BIN)/augcourse results

calibrate: $(READY) ## measure how often the verdict errs (MNIST too, where it is prepared)
	@$(BIN)/augcourse calibrate

bench: $(READY) bubblewrap ## time each step, a verdict, the sandbox, and a class beside stock nbgrader
	@$(BIN)/python -m benchmarks.sandbox
	@$(BIN)/python -m benchmarks.verdict
	@$(BIN)/python -m benchmarks.steps
	@$(BIN)/python -m benchmarks.classroom

attacks: $(READY) ## grade the attack bank, stock nbgrader beside this project, and write its table
	@$(BIN)/python -W ignore -m benchmarks.attacks

lint: $(READY) ## ruff and mypy
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

lock: $(READY) ## resolve requirements.lock anew, for every platform
	@uv="$$(command -v uv || echo $(BIN)/uv)"; UV_CUSTOM_COMPILE_COMMAND="make lock" "$$uv" pip compile --quiet \
	  --universal --generate-hashes --no-emit-index-url --no-annotate --extra dev pyproject.toml -o requirements.lock

clean: ## remove what the demo made
	@rm -rf build
