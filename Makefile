# `make` alone lists the targets with the comments behind them.
#
# VENV holds lean-emu and its tools, SDK_VENV the official LeanCloud SDK for the user's code: its
# pins (Werkzeug below 2, MarkupSafe below 2.0.2, urllib3 1.26) must never meet ours.

VENV ?= .venv
SDK_VENV ?= .venv-sdk
DIR ?= fixtures/cloud/reviews
ARGS ?=
PYTEST_ARGS ?=

PYTHON = $(VENV)/bin/python
SDK_PYTHON = $(SDK_VENV)/bin/python
PIP_INSTALL = -m pip install --quiet --disable-pip-version-check
PACKAGING = setup.cfg pyproject.toml lean_emulator/__init__.py

.DEFAULT_GOAL := help
.PHONY: help up setup sdk test test-sdk test-javascript test-fuzz test-crash test-browser bench check lint \
	types fmt fmt-check coverage-page dist clean screenshots chromium

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

up: $(VENV)/.made ## start the emulator on fixtures/cloud/reviews (DIR=… ARGS="--port 3100")
	@[ -f $(SDK_VENV)/.made ] || ! tools/find-sdk-python >/dev/null || \
		$(MAKE) --no-print-directory sdk || true
	@python=; if [ -f $(SDK_VENV)/.made ]; then python="--python $(SDK_PYTHON)"; fi; \
	exec $(VENV)/bin/lean-emu up $(DIR) $$python $(ARGS)

setup: $(VENV)/.made-dev ## make the virtual environment with everything for development

sdk: $(SDK_VENV)/.made ## make a second environment with the official LeanCloud SDK

test: $(VENV)/.made-dev ## run the tests that need nothing but Python
	$(PYTHON) -m pytest $(PYTEST_ARGS)

test-sdk: $(VENV)/.made-dev $(SDK_VENV)/.made-tests ## run the tests that need the official SDK
	LEANCLOUD_SDK_PYTHON=$(abspath $(SDK_PYTHON)) $(PYTHON) -m pytest tests/engine $(PYTEST_ARGS)
	LEAN_EMU=$(abspath $(VENV)/bin/lean-emu) $(SDK_PYTHON) -m pytest \
		-c tests/sdk/python/pytest.ini tests/sdk/python tests/sdk/node $(PYTEST_ARGS)

test-javascript: $(VENV)/.made-dev $(SDK_VENV)/.made ## run the tests that use the JavaScript SDK
	cd tests/sdk/javascript && npm ci --ignore-scripts --no-audit --no-fund --silent
	cd tests/sdk/javascript && LEAN_EMU=$(abspath $(VENV)/bin/lean-emu) \
		LEANCLOUD_SDK_PYTHON=$(abspath $(SDK_PYTHON)) npm test --silent

test-fuzz: $(VENV)/.made-dev ## send 20,000 random requests
	LEAN_EMU_FUZZ_CASES=20000 $(PYTHON) -m pytest tests/fuzz $(PYTEST_ARGS)

test-crash: $(VENV)/.made-dev ## kill a process that writes a hundred times, and look at what is left
	$(PYTHON) -m pytest tests/crash $(PYTEST_ARGS)

test-browser: $(VENV)/.made-browser $(SDK_VENV)/.made chromium ## run the tests that use the console in Chromium
	LEANCLOUD_SDK_PYTHON=$(abspath $(SDK_PYTHON)) $(PYTHON) -m pytest tests/browser $(PYTEST_ARGS)

coverage-page: $(VENV)/.made-dev ## write docs/coverage.md from the code
	$(PYTHON) tools/coverage_page.py

bench: $(VENV)/.made-dev $(SDK_VENV)/.made ## measure, and write the figures to tests/bench/results
	LEANCLOUD_SDK_PYTHON=$(abspath $(SDK_PYTHON)) $(PYTHON) -m pytest tests/bench -s $(PYTEST_ARGS)

check: fmt-check lint types test ## all that must pass before a commit

lint: $(VENV)/.made-dev ## look for mistakes (ruff)
	$(PYTHON) -m ruff check

types: $(VENV)/.made-dev ## check the types (mypy, strict)
	$(PYTHON) -m mypy

fmt: $(VENV)/.made-dev ## format the code
	$(PYTHON) -m ruff check --fix
	$(PYTHON) -m ruff format

fmt-check: $(VENV)/.made-dev ## say which files `make fmt` would change
	$(PYTHON) -m ruff format --check

dist: clean $(VENV)/.made-dev ## build the source archive and the wheel
	$(PYTHON) -m build --quiet

clean: ## remove what was built; environments and keys stay
	rm -rf build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find lean_emulator tests fixtures tools -name __pycache__ -prune -exec rm -rf {} +

screenshots: $(VENV)/.made-browser $(SDK_VENV)/.made chromium ## take the pictures of the README again
	LEANCLOUD_SDK_PYTHON=$(abspath $(SDK_PYTHON)) $(PYTHON) tools/screenshots.py docs/images

chromium:
	@tools/find-chromium >/dev/null || tools/install-chromium

# A stamp is written last, so an interrupted step is done again.

$(VENV)/.venv:
	@python=$$(tools/find-python 3.11) || { \
		echo "lean-emu needs Python 3.11 or newer, and there is none on the PATH."; exit 1; }; \
	echo "Making $(VENV) with $$python"; \
	"$$python" -m venv $(VENV)
	@touch $@

$(VENV)/.made: $(VENV)/.venv $(PACKAGING)
	@echo "Installing lean-emu into $(VENV)"
	@$(PYTHON) $(PIP_INSTALL) --editable .
	@touch $@

$(VENV)/.made-dev: $(VENV)/.venv $(PACKAGING)
	@echo "Installing lean-emu and its tools into $(VENV)"
	@$(PYTHON) $(PIP_INSTALL) --editable '.[dev]'
	@touch $(VENV)/.made $@

$(VENV)/.made-browser: $(VENV)/.made-dev
	@echo "Installing the browser driver into $(VENV)"
	@$(PYTHON) $(PIP_INSTALL) --editable '.[dev,browser]'
	@touch $@

$(SDK_VENV)/.made:
	@python=$$(tools/find-sdk-python) || exit 1; \
	echo "Making $(SDK_VENV) with $$python, for the official LeanCloud SDK"; \
	"$$python" -m venv $(SDK_VENV) && $(SDK_PYTHON) $(PIP_INSTALL) leancloud
	@touch $@

$(SDK_VENV)/.made-tests: $(SDK_VENV)/.made
	@$(SDK_PYTHON) $(PIP_INSTALL) pytest pytest-timeout
	@touch $@
