# Thin: each target calls a script or cargo. `make` alone lists them.
.DEFAULT_GOAL := help
.PHONY: help setup build demo envoy dashboards pictures check test test-mesh fuzz bench fmt lint doc clean
# The programs that the set-up put in place come first.
export PATH := $(CURDIR)/.tools/bin:$(PATH)

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 12
setup: ## get everything that the project needs beside Rust, into .tools/
	@scripts/setup
build: ## dist/modgate, the command, and dist/modgate.wasm, the filter
	@scripts/build
demo: ## the filter at work in front of a small Go proxy, with real go commands
	@scripts/setup wasm go
	@scripts/build
	@dist/modgate demo
envoy: ## the same with real Envoy, goproxy, Athens and Prometheus; Ctrl-C stops it
	@scripts/envoy
dashboards: ## make grafana/dashboards and grafana/kubernetes from grafana/generate
	@scripts/dashboards
pictures: ## draw docs/dashboards, previews of the dashboards, from real query results
	@scripts/pictures
check: ## while you work: format, clippy, imports and unit tests
	@scripts/check
test: ## everything a change must pass
	@scripts/test
test-mesh: ## the filter in a real Istio: twelve minutes more to set up the first time
	@scripts/test-mesh
fuzz: ## everything that reads what others wrote, three minutes for each part
	@scripts/fuzz
bench: ## what the filter costs in Envoy, against Envoy without it; what the simulator does
	@scripts/bench
	@scripts/bench downloads
	@scripts/bench simulator
fmt: ## format the Rust code
	@cargo fmt --all
	@cargo fmt --manifest-path fuzz/Cargo.toml
lint: ## format, clippy, documentation, imports, scripts, pages and licences, checked
	@scripts/lint
doc: ## the documentation of the code, into target/doc
	@cargo doc --release --workspace --no-deps
clean: ## remove what was built and made (target, dist, .work); what was fetched stays in .tools
	@rm -rf target dist .work
