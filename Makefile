# Everything a newcomer needs, with nothing installed but Python 3.11+, make, git and a C compiler. `make` alone lists the targets.

PYTHON ?= python3
BIN := .venv/bin
PROTOS := $(shell find protos/metip -name '*.proto')
DESCRIPTORS := protos/metip/contracts/descriptors.binpb
SPHINX := build/tools/docs/bin/sphinx-build
PYTEST_ARGS ?=
FAULTS_ARGS ?=
BENCH_ARGS ?=
FUZZ_ARGS ?=
STUBS_ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help run demo test check gen console golden bench faults fuzz new stubs docs man clean lock sbom

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(DESCRIPTORS) ## Start the whole estate and show it at work, until Ctrl-C
	@$(BIN)/metip up

demo: $(DESCRIPTORS) ## The same, bounded: play the scenarios, say what happened, exit 0
	@$(BIN)/metip demo

test: $(DESCRIPTORS) ## Run every test, three modules at a time, one of them against a real mesh
	@$(BIN)/python -m pytest -n 3 $(PYTEST_ARGS)

check: $(DESCRIPTORS) ## Formatting, lint, types, import rules, contracts
	@echo "ruff format" && $(BIN)/ruff format --check --quiet .
	@echo "ruff check" && $(BIN)/ruff check --quiet .
	@echo "mypy" && $(BIN)/mypy --no-error-summary -p metip -p adapters -p hub && $(BIN)/mypy --no-error-summary tests
	@echo "import-linter" && $(BIN)/lint-imports --no-cache > .lint-imports.log || (cat .lint-imports.log; exit 1)
	@rm -f .lint-imports.log
	@echo "buf lint" && $(BIN)/buf lint $(DESCRIPTORS) --config protos/buf.yaml
	@echo "all good"

gen: ## Generate stubs and descriptors from the contracts
	@$(MAKE) --no-print-directory --always-make $(DESCRIPTORS)

console: $(DESCRIPTORS) ## Build the console's site anew and check its sources; needs Node, which nothing else does
	@$(BIN)/python -m hub.console.building
	@cd hub/console/app && npm run --silent check && npm run --silent test

golden: $(DESCRIPTORS) ## Rewrite the golden files and delete orphans; read the diff
	@$(BIN)/python -m pytest -q tests/hub/mesh/test_golden.py --golden
	@$(BIN)/metip interfaces --register > docs/interfaces.md
	@$(BIN)/python -m hub.telemetry.describing

bench: $(DESCRIPTORS) ## Measure bare server, Envoy and full path in one run; write docs/benchmarks.md
	@PYTHONPATH=tests/support $(BIN)/python -m tests.bench $(BENCH_ARGS)

faults: $(DESCRIPTORS) ## Kill, cut the power, fail the disk; print which invariants held
	@$(BIN)/python -m tests.faults $(FAULTS_ARGS)

fuzz: $(DESCRIPTORS) ## Try damaged documents on every decoder for an hour; print executions and findings
	@$(BIN)/python -m tests.fuzz $(FUZZ_ARGS)

new: $(DESCRIPTORS) ## Scaffold a system: make new system=custody
	@$(BIN)/metip new $(system)

stubs: $(DESCRIPTORS) ## Clients: a Python wheel, Go, Java and TypeScript sources; make stubs languages="go java"
	@$(BIN)/python -m hub.stubs $(languages) $(STUBS_ARGS)

docs: $(DESCRIPTORS) $(SPHINX) ## Build the catalogue site, a page for each interface, into build/docs/site
	@$(BIN)/python -m hub.catalogue build/docs/source
	@$(SPHINX) -q -W --keep-going --jobs auto -b html build/docs/source build/docs/site
	@echo "build/docs/site/index.html"

clean: ## Remove everything that was built or started here
	@rm -rf .venv .metip .mypy_cache .ruff_cache .hypothesis protos/buf dist build
	@find protos hub adapters tests -name '*_pb2*' -delete -o -name __pycache__ -type d -prune -exec rm -rf {} +
	@rm -f $(DESCRIPTORS)

lock: .venv/.installed ## Resolve the dependencies anew and pin them with hashes
	@sh locks/resolve.sh

man: $(DESCRIPTORS) ## Write a page of each command for man to build/man
	@$(BIN)/metip help --man build/man

sbom: .venv/.installed ## Write the bill of materials of what runs to build/sbom.json (CycloneDX)
	@mkdir -p build && $(BIN)/python locks/sbom.py > build/sbom.json && echo "build/sbom.json"

# In an environment of its own, since nobody else needs it.
$(SPHINX): .venv/.installed locks/docs.txt
	@echo "installing what builds the site (once; some seconds)"
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python build/tools/docs
	@$(BIN)/uv pip sync --quiet --compile-bytecode --require-hashes --python build/tools/docs/bin/python locks/docs.txt
	@touch $@

$(DESCRIPTORS): .venv/.installed hatch_build.py $(PROTOS)
	@echo "generating stubs from the contracts"
	@$(BIN)/python hatch_build.py
	@$(BIN)/python -m compileall -q hub adapters protos

.venv/.installed: locks/bootstrap.txt locks/development.txt pyproject.toml
	@echo "installing (once; about a minute)"
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r locks/bootstrap.txt
	@$(BIN)/uv pip sync --quiet --compile-bytecode --require-hashes --python $(BIN)/python locks/development.txt
	@$(BIN)/uv pip install --quiet --no-deps --no-build-isolation --python $(BIN)/python --editable .
	@touch $@
