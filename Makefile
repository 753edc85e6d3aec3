# Leasehold - what a person types. `make help` lists the targets.
#
# Every .c file of a floor goes into that floor's library, except NAME_main.c, which becomes a
# program. Tests, fuzzers and benchmarks are one file one binary. Builds live apart in
# build/KIND-COMPILER, so sanitizer builds never mix with release ones.

CC    ?= gcc
ifeq ($(origin CC),default)
CC    := gcc
endif
KIND  ?= release
OUT   := build/$(KIND)-$(CC)
PREFIX ?= /usr/local

PACKAGES := libsecp256k1 libcrypto libssl jansson gmp libevent libevent_openssl libcurl libarchive libzstd libseccomp libpng libwebp libwebpmux
WARN  := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wformat=2 -Wundef -Wvla -Wcast-qual \
         -Wwrite-strings -Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes \
         -Wimplicit-fallthrough -Wnull-dereference
ifeq ($(CI),true)
WARN  += -Werror
endif
HARDEN := -D_FORTIFY_SOURCE=2 -fstack-protector-strong
OPT_release := -O2 $(HARDEN)
# Words are written limb by limb; a vector load of them waits for the stores (vm/word.h).
SCALAR      := -fno-tree-vectorize -fno-tree-slp-vectorize
$(foreach f,base vm chain tests,$(OUT)/$(f)/%.c.o): CFLAGS += $(SCALAR)
OPT_debug   := -O0 -g3
OPT_asan    := -O1 -g -DSANITIZED -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
OPT_tsan    := -O1 -g -DSANITIZED -fsanitize=thread -fno-omit-frame-pointer
OPT_fuzz    := -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
LD_release  := -pie -Wl,-z,relro,-z,now
LD_asan     := -fsanitize=address,undefined
LD_tsan     := -fsanitize=thread
LD_fuzz     := -fsanitize=address,undefined

PACKAGE_CFLAGS := $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null | sed 's/-I/-isystem /g')
PACKAGE_LIBS   := $(shell pkg-config --libs $(PACKAGES) 2>/dev/null)
CFLAGS_ALL = -std=c17 -D_GNU_SOURCE -I. -fPIE -g $(WARN) $(OPT_$(KIND)) -MMD -MP \
             $(PACKAGE_CFLAGS) $(CFLAGS)
LIBS       = $(PACKAGE_LIBS) -lleveldb -lpthread -ldl -lm

FLOORS := base vm chain net node client compute wallet
# What a floor's programs and tests link, in link order: whoever needs before what is needed.
LINK_base    := base
LINK_vm      := vm base
LINK_chain   := chain vm base
LINK_net     := net chain vm base
LINK_node    := node net chain vm base
LINK_client  := client base
LINK_compute := compute client base
LINK_wallet  := wallet compute client base
LINK_tools   := chain vm base
LINK_model   := chain vm base
# A fuzzer or benchmark links the side that it includes: the chain's, or the one that talks to it.
LINK_inside  := node net chain vm base
LINK_outside := wallet compute client base
side_of = $(if $(shell grep -E '^.include "(client|compute|wallet)/' $(1)),outside,inside)
archives = $(foreach f,$(LINK_$(1)),$(OUT)/lib$(f).a)

# Of the runner these stand alone, and serve the trusted side and the tests too.
RUNNER_SHARED := $(addprefix compute/runner/,library.c nvrtc.c cuda_driver.c ptx_read.c ptx_rewrite.c ptx_scan.c)
sources_of = $(filter-out %_main.c $(filter-out $(RUNNER_SHARED),$(wildcard compute/runner/*.c)), \
               $(shell find $(1) -name '*.c' 2>/dev/null | sort)) \
             $(shell find $(1) -name '*.S' 2>/dev/null | sort)
objects_of = $(patsubst %,$(OUT)/%.o,$(call sources_of,$(1)))

PROGRAMS := leaseholdd leasehold-worker leasehold evm-run
RUNNER   := $(OUT)/bin/leasehold-run
# What exec jobs need beside it: who unpacks their images, and who runs them.
HELPERS  := $(OUT)/bin/leasehold-unpack $(OUT)/bin/leasehold-init

.PHONY: all
all: programs ## build the five programs

.PHONY: programs
programs: $(addprefix $(OUT)/bin/,$(PROGRAMS)) $(RUNNER) $(HELPERS)

$(OUT)/%.c.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) -c $< -o $@
$(OUT)/%.S.o: %.S
	@mkdir -p $(@D)
	$(CC) -I. -c $< -o $@
# .incbin leaves no trace in the .d files.
$(OUT)/chain/system_code.S.o: $(wildcard contracts/artifacts/*.runtime.hex)
$(OUT)/client/contract_abi.S.o: $(wildcard contracts/artifacts/*.abi.json)

define floor_library
$(OUT)/lib$(1).a: $(call objects_of,$(1))
	@mkdir -p $$(@D)
	@rm -f $$@
	$$(AR) rcs $$@ $$^
endef
$(foreach f,$(FLOORS),$(eval $(call floor_library,$(f))))

define program
$(OUT)/bin/$(1): $(OUT)/$(2).c.o $(call archives,$(3))
	@mkdir -p $$(@D)
	$$(CC) $$(LD_$$(KIND)) $$(LDFLAGS) $$^ $$(LIBS) -o $$@
endef
$(eval $(call program,leaseholdd,node/leaseholdd_main,node))
$(eval $(call program,leasehold-worker,compute/worker_main,compute))
$(eval $(call program,leasehold,wallet/leasehold_main,wallet))
$(eval $(call program,evm-run,node/evm_run_main,node))
$(eval $(call program,leasehold-unpack,compute/unpack_main,compute))

# The runner stands alone: libc only, so that it starts in an empty sandbox.
# Its fibers and address space limits do not go with sanitizers: it is always a release build.
RUNNER_OBJECTS := $(patsubst %,$(OUT)/runner/%.o,$(wildcard compute/runner/*.c compute/runner/*.S) \
                  compute/plan.c compute/reason.c compute/image.c compute/page_hash.c)
$(RUNNER) $(RUNNER_OBJECTS): override KIND := release
$(OUT)/runner/%.c.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) -c $< -o $@
$(OUT)/runner/%.S.o: %.S $(wildcard compute/runner/*.h)
	@mkdir -p $(@D)
	$(CC) -I. -c $< -o $@
$(RUNNER): $(RUNNER_OBJECTS)
	@mkdir -p $(@D)
	$(CC) $(LD_$(KIND)) $(LDFLAGS) -rdynamic $^ -lpthread -ldl -lm -o $@

# The first process in an exec job's sandbox: its root is an image of whatever system, so it is
# static; and always a release build, as the runner.
INIT_OBJECTS := $(patsubst %,$(OUT)/runner/compute/%.c.o,init_main exec_plan exec_outputs exec_usage \
                plan reason)
$(OUT)/bin/leasehold-init $(INIT_OBJECTS): override KIND := release
$(OUT)/bin/leasehold-init: $(INIT_OBJECTS)
	@mkdir -p $(@D)
	$(CC) -static $(LDFLAGS) $^ -o $@

TESTS   := $(patsubst %.c,$(OUT)/%,$(wildcard tests/*/test_*.c))
FUZZERS := $(patsubst %.c,$(OUT)/%,$(wildcard tests/fuzz/fuzz_*.c))
BENCHES := $(patsubst %.c,$(OUT)/%,$(wildcard tests/bench/bench_*.c))
# tests/tools/evm_bench_main.c is bin/evm-bench.
TOOL_SOURCES := $(wildcard tests/tools/*_main.c)
tool_of = $(OUT)/bin/$(subst _,-,$(patsubst tests/tools/%_main.c,%,$(1)))
TOOLS   := $(foreach t,$(TOOL_SOURCES),$(call tool_of,$(t)))

# tests/FLOOR/test_NAME.c links FLOOR and what is below it.
# $(1) is tests/..., $(2) what to link, $(3) flags for the linker.
define test_program
$(OUT)/$(1): $(OUT)/$(1).c.o $(call archives,$(2))
	@mkdir -p $$(@D)
	$$(CC) $$(LD_$$(KIND)) $$(LDFLAGS) $$^ $$(LIBS) $(3) -o $$@
endef
plain = $(patsubst $(OUT)/%,%,$(1))
$(foreach t,$(call plain,$(TESTS)),$(eval $(call test_program,$(t),$(word 2,$(subst /, ,$(t))),-lcmocka -lnettle)))
$(foreach t,$(call plain,$(BENCHES)),$(eval $(call test_program,$(t),$(call side_of,$(t).c),-lcmocka -lnettle)))
$(foreach t,$(call plain,$(FUZZERS)),$(eval $(call test_program,$(t),$(call side_of,$(t).c),-fsanitize=fuzzer)))
define tool_program
$(call tool_of,$(1)): $(OUT)/$(1).o $(call archives,tools)
	@mkdir -p $$(@D)
	$$(CC) $$(LD_$$(KIND)) $$(LDFLAGS) $$^ $$(LIBS) -o $$@
endef
$(foreach t,$(TOOL_SOURCES),$(eval $(call tool_program,$(t))))

# Nodes that break the rules: the product's objects, with functions that tests/faulty/NAME.c wraps.
LIARS := $(OUT)/bin/leaseholdd-equivocator
LIARS_WRAP := -Wl,--wrap=peers_open -Wl,--wrap=peers_send
$(LIARS): $(OUT)/bin/leaseholdd-%: $(OUT)/tests/faulty/%.c.o $(OUT)/node/leaseholdd_main.c.o $(call archives,node)
	@mkdir -p $(@D)
	$(CC) $(LD_$(KIND)) $(LDFLAGS) $^ $(LIBS) $(LIARS_WRAP) -o $@

# The simulator counts what a step of the consensus allocates, so it stands before malloc.
SIM := $(OUT)/bin/leasehold-sim
$(SIM): $(patsubst %.c,$(OUT)/%.c.o,$(wildcard tests/sim/*.c)) $(call archives,chain)
	@mkdir -p $(@D)
	$(CC) $(LD_$(KIND)) $(LDFLAGS) -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc $^ $(LIBS) -o $@

# What only a card can tell; without one it says so.
CHECK_GPU := $(OUT)/bin/check-gpu
$(CHECK_GPU): $(patsubst %,$(OUT)/%.o,$(wildcard tests/gpu/*.c)) $(call archives,compute)
	@mkdir -p $(@D)
	$(CC) $(LD_$(KIND)) $(LDFLAGS) $^ $(LIBS) -o $@

# The kernels' functions against MPFR; nobody else needs that library.
ULP := $(OUT)/bin/ulp
$(ULP): $(patsubst %.c,$(OUT)/%.c.o,$(wildcard tests/ulp/*.c))
	@mkdir -p $(@D)
	$(CC) $(LD_$(KIND)) $(LDFLAGS) $^ -lmpfr -lgmp -ldl -lm -o $@

.PHONY: tests benches fuzzers tools liars
tests: $(TESTS)
benches: $(BENCHES)
fuzzers: $(FUZZERS)
tools: $(TOOLS) $(SIM)
liars: $(LIARS)

-include $(shell find $(OUT) -name '*.d' 2>/dev/null)

# ---------------------------------------------------------------------------------------------
# What people type

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1|/' | \
	    awk -F'|' '{printf "%-24s %s\n", $$1, $$2}'
	@echo
	@echo "  KIND=release|debug|asan|tsan and CC=gcc|clang choose the build (build/KIND-CC)."

.PHONY: deps deps-test deps-lint
deps: ## install the Debian packages that the build needs
	@tools/deps.sh build
deps-test: deps
	@tools/deps.sh test
deps-lint: deps
	@tools/deps.sh lint test

# A first make on a bare machine has neither compiler nor pkg-config when it reads this file, so
# whatever people type installs first and then builds in a make of its own.
.PHONY: demo
demo: ## rent a GPU job, kill a validator meanwhile, see it paid; see a liar lose stake, and two who collude convicted
	@$(MAKE) --no-print-directory deps
	@echo "Building ..."
	@$(MAKE) --no-print-directory -s -j2 programs
	@PATH="$(CURDIR)/$(OUT)/bin:$$PATH" tools/demo.sh

.PHONY: check
check: ## install what tests need, build, run every test
	@$(MAKE) --no-print-directory deps-test
	@$(MAKE) --no-print-directory npm
	@$(MAKE) --no-print-directory -s -j2 programs tests tools liars
	@tests/check.sh $(OUT)

# Where published EVM vectors are looked for; where there are none, tests say so and go on.
export EVM_VECTORS ?= ../shared/evm
SEEDS ?= 20000
.PHONY: sim sim-planted
sim: ## live through SEEDS=n (20000) simulated networks, or one: SEED=n
	@tools/deps.sh build
	@$(MAKE) --no-print-directory -s -j2 $(SIM)
	@$(SIM) $(if $(SEED),--seed $(SEED) --show,--seeds $(SEEDS))
# A core with bugs in it lives in a build of its own.
PLANTED := $(OUT)-planted
sim-planted: ## show that the simulator finds each bug that is planted for it, within 2,000 seeds
	@tools/deps.sh build
	@$(MAKE) --no-print-directory -s -j2 OUT=$(PLANTED) CFLAGS=-DPLANTED_BUILD $(PLANTED)/bin/leasehold-sim
	@$(PLANTED)/bin/leasehold-sim --planted all --seeds 2000

# NVIDIA's compiler, where `make nvrtc` has put it; tests that need it are left out without it.
export LEASEHOLD_NVRTC ?= $(abspath $(wildcard build/nvrtc/libnvrtc.so.11.2))
.PHONY: nvrtc check-gpu
nvrtc: ## fetch NVIDIA's NVRTC (proprietary; its EULA) into build/nvrtc, so that tests can use it
	@tools/nvrtc.sh build/nvrtc
check-gpu: ## on a machine with a GPU: card and processor agree bit for bit; speed
	@tools/deps.sh build
	@$(MAKE) --no-print-directory -s -j2 programs $(CHECK_GPU)
	@$(CHECK_GPU)

.PHONY: check-evm
check-evm: ## official EVM state tests: EVM_TESTS=dir (a clone of ethereum/tests), or ../shared/evm
	@$(MAKE) --no-print-directory deps-test
	@$(MAKE) --no-print-directory -s -j2 tools
	@tests/evm.sh "$(OUT)" "$(EVM_TESTS)"

.PHONY: check-units
check-units: ## build and run the C tests only (KIND=asan, KIND=tsan)
	@$(MAKE) --no-print-directory -s -j2 programs tests
	@PATH="$(CURDIR)/$(OUT)/bin:$$PATH" tests/run.sh -j 2 $(sort $(TESTS))

VIEWS ?= 3
.PHONY: model
model: ## every state the rules of consensus can reach (VIEWS=4 for more), and what each rule is for
	@$(MAKE) --no-print-directory deps-test
	@$(MAKE) --no-print-directory -s $(OUT)/tests/model/test_model
	@MODEL_VIEWS=$(VIEWS) MODEL_TRACES=1 $(OUT)/tests/model/test_model

KILLS ?= 500
.PHONY: soak
soak: ## kill -9 of random nodes of a network under load, KILLS (500) times; SEED=n
	@$(MAKE) --no-print-directory deps-test
	@$(MAKE) --no-print-directory npm
	@$(MAKE) --no-print-directory -s -j2 programs
	@PATH="$(CURDIR)/$(OUT)/bin:$$PATH" KILLS=$(KILLS) node tests/e2e/soak.mjs

.PHONY: check-sanitizers
check-sanitizers: ## the C tests under ASan+UBSan and under TSan
	@tools/deps.sh build test fuzz
	@$(MAKE) --no-print-directory check-units KIND=asan CC=clang
	@$(MAKE) --no-print-directory check-units KIND=tsan CC=clang

.PHONY: npm
npm: tests/e2e/node_modules/.installed tests/evm-referee/node_modules/.installed contracts/node_modules/.installed
%/node_modules/.installed: %/package-lock.json
	@echo "Installing $*'s npm packages"
	@cd $* && npm ci --no-audit --no-fund --loglevel=error >/dev/null && touch node_modules/.installed

.PHONY: contracts
contracts: contracts/node_modules/.installed ## rebuild the contract artifacts with the pinned solc
	@node contracts/scripts/build.js

.PHONY: lint
lint: ## layers, banned functions, format, clang-tidy, cppcheck
	@$(MAKE) --no-print-directory deps-lint
	@tests/layers.sh
	@tests/banned.sh
	@tests/lint.sh

FUZZ_SECONDS ?= 60
.PHONY: fuzz
fuzz: ## libFuzzer on each decoder, FUZZ_SECONDS (60) each
	@tools/deps.sh build test fuzz
	@$(MAKE) --no-print-directory -s -j2 CC=clang KIND=fuzz fuzzers
	@tests/fuzz.sh build/fuzz-clang $(FUZZ_SECONDS)

.PHONY: bench
bench: ## measure what docs/performance.md states
	@$(MAKE) --no-print-directory deps-test
	@$(MAKE) --no-print-directory npm tests/bench/peer/node_modules/.installed
	@$(MAKE) --no-print-directory -s -j2 programs benches tools $(SIM)
	@PATH="$(CURDIR)/$(OUT)/bin:$$PATH" tests/bench/run.sh $(OUT)

.PHONY: bench-net
bench-net: ## the network's part of it: latency, transfers beside anvil, overload, catching up
	@$(MAKE) --no-print-directory deps-test
	@$(MAKE) --no-print-directory npm tests/bench/peer/node_modules/.installed
	@$(MAKE) --no-print-directory -s -j2 programs tools $(SIM)
	@tests/bench/net.sh $(OUT)

.PHONY: bench-evm
bench-evm: ## time the EVM beside anvil (from npm) on ../shared/evm's programs; REFERENCE=file
	@$(MAKE) --no-print-directory deps-test
	@$(MAKE) --no-print-directory tests/bench/peer/node_modules/.installed
	@$(MAKE) --no-print-directory -s -j2 tools
	@tests/bench/evm.sh $(OUT)

.PHONY: ulp
ulp: ## the error of the kernels' functions over all floats (half an hour); FUNCTIONS="expf exp powf"
	@tools/deps.sh build ulp
	@$(MAKE) --no-print-directory -s -j2 $(ULP)
	@nice $(ULP) $(FUNCTIONS)

.PHONY: install
install: ## programs, man pages and shell completion under PREFIX (/usr/local)
	@$(MAKE) --no-print-directory -s -j2 programs
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/man/man1 \
	    $(DESTDIR)$(PREFIX)/share/bash-completion/completions $(DESTDIR)$(PREFIX)/share/zsh/site-functions
	install -m 755 $(addprefix $(OUT)/bin/,$(PROGRAMS)) $(RUNNER) $(HELPERS) $(DESTDIR)$(PREFIX)/bin/
	for p in $(PROGRAMS) leasehold-run; do \
	    $(OUT)/bin/$$p --print-man > $(DESTDIR)$(PREFIX)/share/man/man1/$$p.1 || exit 1; done
	$(OUT)/bin/leasehold completion bash > $(DESTDIR)$(PREFIX)/share/bash-completion/completions/leasehold
	$(OUT)/bin/leasehold completion zsh > $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_leasehold

.PHONY: clean
clean: ## remove everything that was built
	rm -rf build demo-out contracts/out contracts/cache
