# The same on a laptop, in a hook and in CI. Plain `go test ./...` needs Go alone.

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help build fixture check fmt vet client staticcheck floors tidy gosec workflows reproduce govulncheck test dist bench bench-audit profile soak

GO      ?= go
TOOL    := $(GO) tool -modfile=tools/go.mod
RELEASE := CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-s -w" -pgo=cmd/hallpass/release.pgo

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## ./hallpass, static, as it is released
	$(RELEASE) -o hallpass ./cmd/hallpass

check: fmt vet client staticcheck floors tidy gosec workflows reproduce govulncheck ## all that can be said without running it: the ten below
	@echo "make check: passed"

fmt: ## gofmt finds nothing to change
	@files=$$(gofmt -l .) && test -z "$$files" || { echo "gofmt -w is due:"; echo "$$files"; exit 1; }

vet: ## go vet
	$(GO) vet ./...
	$(GO) -C tools/dist vet ./...

client: ## the command compiles without the server, as Windows and macOS get it
	GOOS=windows $(GO) build -o /dev/null ./cmd/hallpass
	GOOS=darwin $(GO) vet -tags client ./cmd/hallpass

staticcheck: ## staticcheck
	$(TOOL) staticcheck ./...
	$(GO) -C tools/dist tool -modfile=../go.mod staticcheck ./...

floors: ## imports point down (docs/decisions/0001-floors.md)
	$(GO) test -count=1 -run '^TestFloors' .

tidy: ## go.mod and go.sum say what the code needs
	$(GO) mod tidy -diff
	$(GO) -C tools/dist mod tidy -diff

# Rules of gosec that are off, and why:
#   G101  takes SQL about tokens for credentials; that no secret is kept or
#         shown is tested on the running server
#   G115  takes every conversion for an overflow, the bytes of a checksum too;
#         what comes from outside has its bounds tested
#   G124  wants every cookie Secure; on plain http ours cannot be
#   G304  opens what the operator named, which is what paths in a config are for
gosec: ## gosec, save the rules named above its lines
	$(TOOL) gosec -quiet -color=false -exclude=G101,G115,G124,G304 -exclude-dir=test -exclude-dir=tools ./...

workflows: ## actionlint: what GitHub runs, here and in docs/tasks/ci.md, is well formed; with shellcheck, where it is installed, its scripts too
	$(TOOL) actionlint
	@dir=$$(mktemp -d) && trap 'rm -rf "$$dir"' EXIT && awk -v dir="$$dir" '/^```/ { file = "" } file { print > file } /^# \.github\/workflows\// { n = split($$2, part, "/"); file = dir "/" part[n] }' docs/tasks/ci.md && $(TOOL) actionlint "$$dir"/*.yml

reproduce: ## a build from nothing, in another folder, gives the same bytes
	@./test/reproduce.sh '$(RELEASE) -buildvcs=false'

govulncheck: ## known vulnerabilities, when their database can be reached
	@./test/vulncheck.sh $(TOOL)

test: ## every test, with the race detector, and the time each package took; installs the real parts when it can
	@./test/install.sh
	@GO="$(GO)" ./test/run.sh

dist: ## dist/: archives, packages, images and checksums of this commit (docs/decisions/0043-releases.md); DIST adds flags, as DIST=-release
	$(GO) -C tools/dist run . -root ../.. -build '$(RELEASE)' $(DIST)

fixture: build ## after a new migration: keeps a database of this schema in testdata/schema, which every later version must be able to upgrade
	$(GO) test -count=1 -v -run '^TestMakeFixture$$' ./test -fixture "$(CURDIR)/hallpass"

bench: ## what docs/performance.md tells, measured here: about twenty minutes
	@./test/install.sh
	HALLPASS_TEST_BUILD='$(RELEASE)' HALLPASS_TEST_BENCH=$${HALLPASS_TEST_BENCH:-full} ./test/postgres.sh $(GO) test -count=1 -v -timeout 60m -run "^TestMeasured$$" ./test

bench-audit: ## what docs/performance.md tells of a long audit: about ten minutes and 8 GB in the temporary folder
	@./test/install.sh
	HALLPASS_TEST_AUDIT_ROWS=$${HALLPASS_TEST_AUDIT_ROWS:-5000000} $(GO) test -count=1 -v -timeout 60m -run '^TestAuditMeasured$$' ./test

profile: ## the profile by which a release is compiled, taken anew (docs/decisions/0021-compiled-by-a-profile.md)
	$(GO) test -run '^$$' -bench '^BenchmarkRequest$$/^(verify|nginx|org)$$' -benchtime 10s -cpuprofile release.pgo -outputdir cmd/hallpass -o /dev/null ./internal/server
	$(GO) test -pgo=cmd/hallpass/release.pgo -run 'AllocatesNothing|AllocationsOfARequest|ParseToken' ./internal/secret ./internal/verify ./internal/server

soak: ## the long variants: every strange value in every place; kill -9, rotations and revocations hundreds of times, nodes and disks that fail; a minute of guessing; and a minute under Prometheus' eyes
	@./test/install.sh
	@GO="$(GO)" ./test/soak.sh
