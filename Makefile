SHELL := bash
.PHONY: help demo demo-headless test versions fuzz build dev check advisories figures bench bench-cdc bench-micro clean
help:
	@echo 'make demo    a sample shop database, migrated: prints what to open; Ctrl-C ends it'
	@echo 'make demo-headless  the same without a page: the sample shop migrated, followed and verified by commands alone'
	@echo 'make test    all tests: unit, integration with real servers, browser'
	@echo 'make versions  integration tests against other versions of PostgreSQL'
	@echo 'make fuzz    random inputs for what reads bytes, ten minutes each; GODWIT_FUZZ_SECONDS=60 make fuzz for less'
	@echo 'make build   the release binary with the page inside; the last line is its path'
	@echo 'make dev     the page with live reload on 127.0.0.1:8080, the server behind it'
	@echo 'make check   format and lints, licenses and origins of dependencies'
	@echo 'make advisories  what is known against dependencies: asks the database of RustSec'
	@echo 'make figures  size of the page, its first view, what server and page take'
	@echo 'make bench   snapshots of TPC-H against the limits of this machine; SCALE=1 make bench for more'
	@echo 'make bench-cdc  continuous jobs: lag under load, highest rate, one large transaction'
	@echo 'make bench-micro  the steps that every row goes through, each alone'
	@echo 'make clean   removes what was built here and the data of the demo'

demo:
	@scripts/setup.sh demo
	@scripts/demo.sh

demo-headless:
	@scripts/setup.sh demo
	@scripts/demo-headless.sh

test:
	@scripts/setup.sh test
	@scripts/test.sh

versions:
	@scripts/setup.sh test
	@scripts/versions.sh

fuzz:
	@scripts/setup.sh test
	@scripts/fuzz.sh

build:
	@scripts/setup.sh build
	@scripts/build.sh release

dev:
	@scripts/setup.sh demo
	@scripts/demo.sh dev

check:
	@scripts/setup.sh build
	@scripts/setup.sh check
	@scripts/check.sh

# The database lies with its makers: the machine has to reach them.
advisories:
	@scripts/setup.sh check
	@. scripts/lib.sh && native_cargo deny --locked check advisories

figures:
	@scripts/setup.sh test
	@scripts/setup.sh build
	@scripts/figures.sh

bench:
	@scripts/setup.sh demo
	@scripts/bench.sh snapshot

bench-cdc:
	@scripts/setup.sh demo
	@scripts/bench.sh cdc

bench-micro:
	@scripts/setup.sh demo
	@scripts/bench.sh micro

clean:
	@scripts/clean.sh
