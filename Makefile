# `make test` is all that a newcomer, and .ci/run, needs.

GO ?= go
BIN := bin/orderhook
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
COMMIT ?= $(shell git rev-parse HEAD 2>/dev/null)

# The tests in test/ are a module of their own, so that what they alone need, and
# staticcheck, is none of the product's.
TESTS := $(GO) -C test
# The tests that run the real binary gain nothing from the race detector. Those
# of them that run side by side wait most of the time. No test may rely on what
# another one left, so they run in a random order.
BLACKBOX := -shuffle=on -count=1 -parallel 8 ./e2e
# The race detector makes tests three to ten times as slow, and all that they import is
# compiled once more. So `make test` has it in the packages of RACE, of which goroutines share
# what they change and whose tests are quick with it; in those tests of the store's core that
# are about that, since all of its tests take more than five minutes with it; and in the model,
# which runs a whole server. internal/delivery computes for days of a clock of its own, and has
# no time for it. `make test-long` has it everywhere.
INTERNAL := github.com/orderhook/orderhook/internal
RACE := $(addprefix ./internal/,admission breaker changes clock event fair intercept jobrunner maintenance nodes outbound secret store/queue telemetry workflow)
# The others wait, too, so they run beside the contract and what runs the real binary.
OTHERS = $(filter-out $(RACE:./internal/%=$(INTERNAL)/%),$(shell $(GO) list ./internal/... ./receiver))
# The same on a PostgreSQL server that the tests start themselves.
ON_POSTGRES := ORDERHOOK_TEST_DATABASE=postgres $(TESTS) test -shuffle=on -count=1 -timeout 60m
# The browser takes the cores that there are, so nothing else runs beside it.
BROWSER := -shuffle=on -count=1 -timeout 20m ./browser

# What makes and checks packages has a module of its own, too.
PACKAGING := $(GO) -C packaging

.PHONY: test build bench test-long fmt check needs pictures release release-check vulnerabilities

# What `check` has vetted is not vetted once more for each way in which it is compiled.
test: export GOFLAGS := $(GOFLAGS) -vet=off
test: needs check
	CGO_ENABLED=1 $(GO) test -race -shuffle=on $(RACE)
	CGO_ENABLED=1 $(GO) test -race -shuffle=on ./internal/store/core -run 'Turn|Gate|Feed'
	CGO_ENABLED=1 $(TESTS) test -race -shuffle=on ./model
	$(TESTS) test -timeout 25m $(BLACKBOX) ./contract $(OTHERS)
	$(GO) test -shuffle=on ./cmd/...
	$(ON_POSTGRES) ./model
	$(PACKAGING) test -shuffle=on -count=1 ./...
	$(TESTS) test $(BROWSER)

build:
	$(GO) build -ldflags '-X main.release=$(VERSION) -X main.commit=$(COMMIT)' -o $(BIN) ./cmd/orderhook

# The report names the machine; a quiet one gives steadier figures. PostgreSQL is measured
# beside SQLite, on a server that is started for it.
bench: build needs
	scripts/with-postgres sh -c '$(BIN) bench --database "$$DATABASE"' >docs/benchmarks.md.new && mv docs/benchmarks.md.new docs/benchmarks.md
	cat docs/benchmarks.md

# More rounds of all tests and kills; then each fuzz target for FUZZTIME, 30 s by default.
test-long: needs
	CGO_ENABLED=1 $(GO) test -race -shuffle=on -count=2 -timeout 60m ./...
	CGO_ENABLED=1 $(TESTS) test -race -shuffle=on -count=2 -timeout 60m ./model ./contract
	$(TESTS) test ./model -timeout 60m -rapid.checks=5000
	$(ON_POSTGRES) ./contract
	ORDERHOOK_PLAN_ROWS=1000000 $(GO) test -count=1 -timeout 60m ./internal/store/postgres -run 'TestStore$$'
	CRASH_ROUNDS=20 EVENT_CRASH_ROUNDS=100 NODE_ROUNDS=10 NODE_SECONDS=60 LEAK_MINUTES=60 $(TESTS) test -timeout 150m $(BLACKBOX)
	RECEIVER_EVENTS=1000000 $(GO) test -count=1 -timeout 60m ./receiver -run 'TestEachEventHasItsEffectOnce$$'
	BROWSER_LOOKS=all $(TESTS) test $(BROWSER)
	GO=$(GO) scripts/fuzz $$($(GO) list ./...)

# The pictures of docs/dashboard.md.
pictures:
	ORDERHOOK_PICTURES=$(CURDIR)/docs/images $(TESTS) test -count=1 ./browser -run 'Errand|Pictures'

fmt:
	$(GO) fmt ./...
	$(TESTS) fmt ./...
	$(PACKAGING) fmt ./...
	$(PACKAGING)/helm/check fmt ./...

check:
	GO=$(GO) scripts/check-format
	$(GO) vet ./...
	$(TESTS) vet ./...
	$(PACKAGING) vet ./...
	$$($(TESTS) tool -n staticcheck) ./...
	$(TESTS) tool staticcheck ./...
	staticcheck=$$($(TESTS) tool -n staticcheck) && cd packaging && $$staticcheck ./...

# All that is published of a version, in dist/: see packaging/release.
release:
	GO=$(GO) VERSION=$(VERSION) COMMIT=$(COMMIT) packaging/release dist

# The same twice, byte by byte, then installed and run; as root, on a machine with systemd.
release-check: needs vulnerabilities
	GO=$(GO) VERSION=$(VERSION) COMMIT=$(COMMIT) packaging/check

vulnerabilities:
	GO=$(GO) scripts/vulnerabilities

needs:
	GO=$(GO) scripts/needs
