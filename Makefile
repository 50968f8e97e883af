# Everything works on a bare machine with Node 20.19 or newer: the dependencies are installed when they are missing or stale.
.DEFAULT_GOAL := build
.PHONY: build demo test check conformance interop bench fuzz types lint format layers docs unused package clean

SHARED ?= ../shared
FUZZ_RUNS ?= 4000

# npm writes this file last; it is newer than the lock file exactly when node_modules/ is what the lock file says.
installed := node_modules/.package-lock.json
$(installed): package.json package-lock.json
	npm ci --no-audit --no-fund
	@touch $@

build: $(installed)
	npm run --silent build

demo: build
	node scripts/demo.mjs

test: $(installed)
	npm run --silent build
	npm test --silent

check: types lint format layers docs unused package

types: $(installed)
	npm run --silent check:types
lint: $(installed)
	npm run --silent check:lint
format: $(installed)
	npm run --silent check:format
layers: $(installed)
	npm run --silent check:layers
docs: $(installed)
	npm run --silent check:docs
unused: $(installed)
	npm run --silent check:unused
package: build
	npm run --silent build:types
	npm run --silent check:package

conformance: build
	node scripts/conformance.mjs $(SHARED)

interop: build
	node scripts/interop.mjs $(SHARED)

bench: build
	node scripts/bench.mjs

fuzz: $(installed)
	node scripts/fuzz.mjs

clean:
	rm -rf dist node_modules/.cache
