# The doors of Sluice. Each does its own set-up: `make demo` and `make test` are all that a fresh Debian 12 needs.
#
#   make demo    build, raise the lab, type AWS's tutorial into it, send real traffic through Sluice, take it down
#   make test    every test, whole-system tests in network namespaces included (as root; else they say what they skip)
#   make lint    format, clippy, docs, dependency licences
#   make build   target/release/sluice and target/release/gwlb-lab
#   make bench   the table of benches/results, beside dpdk-testpmd in the same run
#   make image   the container image, with podman or docker

SHELL := /bin/bash
CARGO ?= cargo
TOOLS := target/tools
export PATH := $(HOME)/.cargo/bin:$(PATH)

.PHONY: demo test lint build bench image setup tools clean

setup: target/.setup
target/.setup: dpdk-config/packages.sh dpdk-config/rust.sh
	dpdk-config/packages.sh build run test
	dpdk-config/rust.sh
	@mkdir -p target && touch $@

tools: target/.tools
target/.tools: tests/requirements.txt target/.setup
	python3 -m venv $(TOOLS)
	$(TOOLS)/bin/pip install --quiet --disable-pip-version-check -r tests/requirements.txt
	@touch $@

build: setup
	$(CARGO) build --release --locked -p appliance -p lab

lint: setup tools
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --document-private-items --locked --quiet
	$(TOOLS)/bin/cargo-deny --log-level error check licenses bans sources

test: build tools
	$(CARGO) test --workspace --locked --no-fail-fast

demo: build
	tests/demo.sh

bench: build
	benches/run.sh

image: setup
	dpdk-config/image.sh

clean:
	$(CARGO) clean
