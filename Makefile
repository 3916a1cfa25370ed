# `make test` is all that a newcomer, and .ci/run, needs.

GO ?= go
BIN := bin/orderhook
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)

# The tests that run the real binary gain nothing from the race detector. Those
# of them that run side by side wait most of the time. No test may rely on what
# another one left, so they run in a random order.
BLACKBOX := -shuffle=on -count=1 -parallel 16 ./test/e2e
# The race detector makes these three times as slow: `make test` has no time for
# that, `make test-long` has.
SLOW := ./test/contract ./internal/bench
# The browser takes the cores that there are, so nothing else runs beside it.
BROWSER := -shuffle=on -count=1 -timeout 20m ./test/browser
UNITS = $(shell $(GO) list ./... | grep -v -e /test/e2e -e /test/browser)
QUICK = $(shell $(GO) list ./... | grep -v -e /test/e2e -e /test/browser -e /test/contract -e /internal/bench)

.PHONY: test build bench test-long fmt check needs pictures

test: needs check
	CGO_ENABLED=1 $(GO) test -race -shuffle=on $(QUICK)
	$(GO) test $(BLACKBOX) $(SLOW)
	$(GO) test $(BROWSER)

build:
	$(GO) build -ldflags '-X main.release=$(VERSION)' -o $(BIN) ./cmd/orderhook

# The report names the machine; a quiet one gives steadier figures.
bench: build
	$(BIN) bench >docs/benchmarks.md.new && mv docs/benchmarks.md.new docs/benchmarks.md
	cat docs/benchmarks.md

# More rounds of all tests and kills; then each fuzz target for FUZZTIME, 30 s by default.
test-long: needs
	CGO_ENABLED=1 $(GO) test -race -shuffle=on -count=2 -timeout 60m $(UNITS)
	$(GO) test ./test/model -timeout 60m -rapid.checks=5000
	CRASH_ROUNDS=20 EVENT_CRASH_ROUNDS=100 $(GO) test -timeout 60m $(BLACKBOX)
	BROWSER_LOOKS=all $(GO) test $(BROWSER)
	GO=$(GO) scripts/fuzz $(UNITS)

# The pictures of docs/dashboard.md.
pictures:
	ORDERHOOK_PICTURES=$(CURDIR)/docs/images $(GO) test -count=1 ./test/browser -run 'Errand|Pictures'

fmt:
	$(GO) fmt ./...

check:
	GO=$(GO) scripts/check-format
	$(GO) vet ./...
	$(GO) tool staticcheck ./...

needs:
	GO=$(GO) scripts/needs
