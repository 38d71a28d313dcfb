.DEFAULT_GOAL := help
.PHONY: help run test chaos fuzz dev lint generate verify bench build

# The race detector needs a C compiler.
RACE = $(shell [ "$$(go env CGO_ENABLED)" = 1 ] && echo -race)

views = find . -name '*_templ.go' -exec cksum {} + | sort

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Start Portico with everything around it, ready to click
	@.ci/need go postgres
	@.ci/demo

test: ## Run every test, on a real PostgreSQL and in a real browser
	@.ci/need go postgres chromium
	@$(MAKE) --no-print-directory verify
	@go build -o bin/testdb ./cmd/testdb
	bin/testdb go test $(RACE) -timeout 30m ./...

SEED ?= 0
chaos: ## Break everything under load for five minutes (SEED=n repeats a run), and judge
	@.ci/need go postgres
	go test ./cmd/portico/chaos -run TestChaos -count=1 -v -timeout 10m -args -chaos 4m -seed $(SEED)

fuzz: ## Make up what partners send, a minute for each parser; what is found is kept in testdata/fuzz
	@set -e; for f in tjansteguiden/FuzzAnswer tjansteguiden/FuzzOrders; do \
		go test ./internal/partner/$${f%/*} -run '^$$' -fuzz "^$${f#*/}$$" -fuzztime 1m; done
	go test ./internal/portal -run '^$$' -fuzz '^FuzzRedact$$' -fuzztime 1m

dev: ## Like run, and anew after each change
	@.ci/need go postgres
	go tool templ generate -log-level warn -watch -watch-pattern '\.(go|templ|sql|css|js)$$' -cmd .ci/demo

lint: ## Look for faults in the code without running it
	@files=$$(gofmt -l .); [ -z "$$files" ] || { echo "not formatted (gofmt -w .):" $$files; exit 1; }
	go vet ./...
	go tool staticcheck ./...

generate: ## Write the Go of the views (*_templ.go)
	go tool templ generate

verify: ## Check that the views' Go is current, and lint
	@set -e; before=$$($(views)); go tool templ generate -log-level warn; after=$$($(views)); \
	changed=$$(printf '%s\n' "$$before" "$$after" | sort | uniq -u | sed 's/.* //' | sort -u); \
	if [ -n "$$changed" ]; then echo "these views' Go was not current; it is now, to look at and commit:" $$changed; exit 1; fi
	@$(MAKE) --no-print-directory lint

bench: ## Run the benchmarks
	@.ci/need go postgres
	@go build -o bin/testdb ./cmd/testdb
	bin/testdb go test -run '^$$' -bench . -benchmem ./...

build: ## Build bin/portico
	go build -trimpath -o bin/portico ./cmd/portico
