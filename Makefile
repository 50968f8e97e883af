# Everything works on a bare machine with Node 20.19 or newer: the dependencies are installed when they are missing or stale.
.DEFAULT_GOAL := build
.PHONY: install build demo test check conformance interop oracles-kyverno e2e-kubernetes bench fuzz types lint format layers docs unused package clean

# Where the conformance suite and the installer of the real peers are.
SHARED ?= ../shared
# Where that installer puts them; the demo shows that real cosign agrees when it is there.
PEERS ?= $(HOME)/.cache/peers
# How long `make fuzz` takes, about.
FUZZ_SECONDS ?= 60

install:
	@node scripts/install.mjs

build: install
	npm run --silent build

# A private Sigstore, an image signed without a key, verified, with a signed SBOM read back, and admitted by the gate; nothing unsigned is.
demo: build
	PATH="$$PATH:$(PEERS)/bin" node scripts/demo.mjs

# Every unit test.
test: build
	npm test --silent

check: types lint format layers docs unused package

types: install
	npm run --silent check:types
lint: install
	npm run --silent check:lint
format: install
	npm run --silent check:format
layers: install
	npm run --silent check:layers
docs: install
	npm run --silent check:docs
unused: install
	npm run --silent check:unused
package: build
	npm run --silent build:types
	npm run --silent check:package

# 140 cases of sigstore-conformance against test/conformance/client.
conformance: build
	node scripts/conformance.mjs $(SHARED)

# Against real cosign 3 and 2, rekor-cli, a registry without referrers API, sigstore-js.
interop: build
	node scripts/interop.mjs $(SHARED)

# Kyverno as an oracle for `make interop`, which compares with it where it is built. The first build takes seven minutes of
# processor time, which is too much for every run of CI: it uses what is in the cache.
oracles-kyverno: install
	node scripts/oracles.mjs kyverno

# Against a real Kubernetes API server, built from its Go modules where Go is installed.
e2e-kubernetes: build
	node scripts/kubernetes.mjs $(SHARED)

bench: build
	node scripts/bench.mjs

# Every property test, for longer.
fuzz: install
	node scripts/fuzz.mjs $(FUZZ_SECONDS)

clean:
	rm -rf dist node_modules/.cache
