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

PACKAGES := libsecp256k1 libcrypto libssl nettle jansson gmp libevent libevent_openssl libcurl libarchive libzstd libseccomp libpng
WARN  := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wformat=2 -Wundef -Wvla -Wcast-qual \
         -Wwrite-strings -Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes \
         -Wimplicit-fallthrough -Wnull-dereference
ifeq ($(CI),true)
WARN  += -Werror
endif
HARDEN := -D_FORTIFY_SOURCE=2 -fstack-protector-strong
OPT_release := -O2 $(HARDEN)
OPT_debug   := -O0 -g3
OPT_asan    := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
OPT_tsan    := -O1 -g -fsanitize=thread -fno-omit-frame-pointer
OPT_fuzz    := -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
LD_release  := -pie -Wl,-z,relro,-z,now
LD_asan     := -fsanitize=address,undefined
LD_tsan     := -fsanitize=thread
LD_fuzz     := -fsanitize=address,undefined

CFLAGS_ALL = -std=c17 -D_GNU_SOURCE -I. -fPIE -g $(WARN) $(OPT_$(KIND)) -MMD -MP \
             $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null | sed 's/-I/-isystem /g') $(CFLAGS)
LIBS       = $(shell pkg-config --libs $(PACKAGES) 2>/dev/null) -lleveldb -lpthread -ldl -lm

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
LINK_fuzz    := node net wallet compute client chain vm base
LINK_bench   := $(LINK_fuzz)
LINK_tools   := chain vm base
LINK_sim     := chain vm base
archives = $(foreach f,$(LINK_$(1)),$(OUT)/lib$(f).a)

sources_of = $(filter-out %_main.c compute/runner/%,$(shell find $(1) -name '*.c' 2>/dev/null | sort)) \
             $(shell find $(1) -name '*.S' 2>/dev/null | sort)
objects_of = $(patsubst %,$(OUT)/%.o,$(call sources_of,$(1)))

PROGRAMS := leaseholdd leasehold-worker leasehold
RUNNER   := $(OUT)/bin/leasehold-run

.PHONY: all
all: programs

.PHONY: programs
programs: $(addprefix $(OUT)/bin/,$(PROGRAMS)) $(RUNNER)

$(OUT)/%.c.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) -c $< -o $@
$(OUT)/%.S.o: %.S
	@mkdir -p $(@D)
	$(CC) -I. -c $< -o $@

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

# The runner stands alone: libc only, so that it starts in an empty sandbox.
# Its fibers and address space limits do not go with sanitizers: it is always a release build.
RUNNER_OBJECTS := $(patsubst %,$(OUT)/runner/%.o,$(wildcard compute/runner/*.c compute/runner/*.S) \
                  compute/plan.c compute/reason.c)
$(RUNNER) $(RUNNER_OBJECTS): override KIND := release
$(OUT)/runner/%.c.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) -c $< -o $@
$(OUT)/runner/%.S.o: %.S compute/runner/prelude.h
	@mkdir -p $(@D)
	$(CC) -I. -c $< -o $@
$(RUNNER): $(RUNNER_OBJECTS)
	@mkdir -p $(@D)
	$(CC) $(LD_$(KIND)) $(LDFLAGS) -rdynamic $^ -lpthread -ldl -lm -o $@

TESTS   := $(patsubst %.c,$(OUT)/%,$(wildcard tests/*/test_*.c))
FUZZERS := $(patsubst %.c,$(OUT)/%,$(wildcard tests/fuzz/fuzz_*.c))
BENCHES := $(patsubst %.c,$(OUT)/%,$(wildcard tests/bench/bench_*.c))
TOOLS   := $(patsubst tests/tools/%_main.c,$(OUT)/bin/%,$(wildcard tests/tools/*_main.c))

# tests/FLOOR/test_NAME.c links FLOOR and what is below it.
define test_program
$(OUT)/$(1): $(OUT)/$(1).c.o $(call archives,$(word 2,$(subst /, ,$(1))))
	@mkdir -p $$(@D)
	$$(CC) $$(LD_$$(KIND)) $$(LDFLAGS) $$^ $$(LIBS) -lcmocka -o $$@
endef
$(foreach t,$(TESTS) $(BENCHES),$(eval $(call test_program,$(patsubst $(OUT)/%,%,$(t)))))
$(FUZZERS): $(OUT)/%: $(OUT)/%.c.o $(call archives,fuzz)
	@mkdir -p $(@D)
	$(CC) -fsanitize=fuzzer,address,undefined $^ $(LIBS) -o $@
$(TOOLS): $(OUT)/bin/%: $(OUT)/tests/tools/%_main.c.o $(call archives,tools)
	@mkdir -p $(@D)
	$(CC) $(LD_$(KIND)) $(LDFLAGS) $^ $(LIBS) -o $@

.PHONY: tests benches fuzzers tools
tests: $(TESTS)
benches: $(BENCHES)
fuzzers: $(FUZZERS)
tools: $(TOOLS)

-include $(shell find $(OUT) -name '*.d' 2>/dev/null)
