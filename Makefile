# Thin: what each target does is in scripts/ and CMakeLists.txt. `make help` lists the targets.
LUA ?= lua5.4
PREFIX ?= /usr/local
SUITE ?=
SECONDS = 60
TARGETS ?=
MUTANTS ?= 200
MINUTES ?= 35
SEED ?= 1
export DESTDIR PREFIX HOST PORT LIMITS SIZES BENCH SERVERS SCALE

.DEFAULT_GOAL := help
.PHONY: help demo demo-nginx test fuzz cover mutate mutate-lua bench-core bench-server build lint fmt install uninstall deb clean

help: ## this list
	@echo "presence: who is online, on which topics, in Lua and C"
	@echo
	@sed -n 's/^\([a-z-]*\): *## */  make \1|/p' Makefile | awk -F'|' '{ printf "%-17s %s\n", $$1, $$2 }'
	@echo
	@echo "Each target first installs what it needs and this machine lacks, and says so."

demo: ## a chat room on http://127.0.0.1:4000 (HOST, PORT, LIMITS=off, LUA=luajit)
	@sh scripts/bootstrap.sh demo
	@bash scripts/build.sh
	@if [ "$$LIMITS" = off ]; then ulimit -n "$$(ulimit -H -n)"; fi; . scripts/env.sh && exec $(LUA) examples/chat/main.lua

demo-nginx: ## the same behind nginx (HOST, PORT, LIMITS=off)
	@sh scripts/bootstrap.sh demo-nginx
	@bash scripts/build.sh
	@exec bash scripts/demo-nginx.sh

test: ## every suite; SUITE="unit house" runs some of them
	@sh scripts/bootstrap.sh test
	@exec bash scripts/test.sh $(SUITE)

fuzz: ## each fuzz target for SECONDS (60); TARGETS="json http" picks some
	@sh scripts/bootstrap.sh fuzz
	@exec bash scripts/fuzz.sh $(SECONDS) $(TARGETS)

cover: ## branches and MC/DC that the C tests reach; fails where one is missed without a reason
	@sh scripts/bootstrap.sh cover
	@exec bash scripts/cover.sh

mutate: ## breaks MUTANTS (200) lines of C chosen by SEED (1); lists what no test notices; long
	@sh scripts/bootstrap.sh mutate
	@exec lua5.4 scripts/mutate.lua $(MUTANTS) $(SEED)

mutate-lua: ## the same for the Lua code: MUTANTS (150 then) lines, at most MINUTES (35)
	@sh scripts/bootstrap.sh test
	@bash scripts/build.sh
	@exec lua5.4 scripts/mutate_lua.lua $(if $(filter file,$(origin MUTANTS)),150,$(MUTANTS)) $(SEED) $(MINUTES)

bench-core: ## the core against its targets and its peers, build/bench/core.json; some minutes (SIZES="10000 100000")
	@sh scripts/bootstrap.sh bench
	@exec bash scripts/bench.sh core

bench-server: ## the demo's server under load, build/bench/server.json; many minutes (BENCH="storm churn", SERVERS=luajit, SCALE=0.1)
	@sh scripts/bootstrap.sh bench-server
	@bash scripts/build.sh
	@exec bash scripts/bench-server.sh

build: ## the C library and both Lua modules, in build/
	@sh scripts/bootstrap.sh build
	@bash scripts/build.sh

lint: ## luacheck, clang-format, clang-tidy, shellcheck; changes nothing
	@sh scripts/bootstrap.sh lint
	@exec bash scripts/lint.sh

fmt: ## lays the code out anew
	@sh scripts/bootstrap.sh fmt
	@exec bash scripts/fmt.sh

install: ## into PREFIX (/usr/local), under DESTDIR
	@sh scripts/bootstrap.sh build
	@bash scripts/build.sh
	@bash scripts/install.sh install

uninstall: ## removes that again; the same PREFIX and DESTDIR
	@sh scripts/bootstrap.sh build
	@bash scripts/build.sh
	@bash scripts/install.sh uninstall

deb: ## a Debian package: build/deb/lua-presence_….deb
	@sh scripts/bootstrap.sh deb
	@bash scripts/build.sh deb

clean: ## removes build/ and node_modules/
	@rm -rf build node_modules
