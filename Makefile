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

PACKAGES := libsecp256k1 libcrypto libssl nettle jansson gmp libevent libevent_openssl libcurl libarchive libzstd libseccomp
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
# Libraries in link order: whoever needs comes before what is needed.
LINK_ORDER := node wallet compute client net chain vm base

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
ARCHIVES := $(foreach f,$(LINK_ORDER),$(OUT)/lib$(f).a)

$(OUT)/bin/leaseholdd: $(OUT)/node/leaseholdd_main.c.o
$(OUT)/bin/leasehold-worker: $(OUT)/compute/worker_main.c.o
$(OUT)/bin/leasehold: $(OUT)/wallet/leasehold_main.c.o
$(addprefix $(OUT)/bin/,$(PROGRAMS)): $(ARCHIVES)
	@mkdir -p $(@D)
	$(CC) $(LD_$(KIND)) $(LDFLAGS) $(filter %.o,$^) $(ARCHIVES) $(LIBS) -o $@

# The runner stands alone: libc only, so that it starts in an empty sandbox.
RUNNER_OBJECTS := $(patsubst %,$(OUT)/%.o,$(wildcard compute/runner/*.c compute/runner/*.S))
$(RUNNER): $(RUNNER_OBJECTS)
	@mkdir -p $(@D)
	$(CC) $(LD_$(KIND)) $(LDFLAGS) -rdynamic $^ -lpthread -ldl -lm -o $@

TESTS   := $(patsubst %.c,$(OUT)/%,$(wildcard tests/*/test_*.c tests/*/*/test_*.c))
FUZZERS := $(patsubst %.c,$(OUT)/%,$(wildcard tests/fuzz/fuzz_*.c))
BENCHES := $(patsubst %.c,$(OUT)/%,$(wildcard tests/bench/bench_*.c))
TOOLS   := $(patsubst tests/tools/%_main.c,$(OUT)/bin/%,$(wildcard tests/tools/*_main.c))

$(TESTS) $(BENCHES): $(OUT)/%: $(OUT)/%.c.o $(ARCHIVES)
	@mkdir -p $(@D)
	$(CC) $(LD_$(KIND)) $(LDFLAGS) $< $(ARCHIVES) $(LIBS) -lcmocka -o $@
$(FUZZERS): $(OUT)/%: $(OUT)/%.c.o $(ARCHIVES)
	@mkdir -p $(@D)
	$(CC) -fsanitize=fuzzer,address,undefined $< $(ARCHIVES) $(LIBS) -o $@
$(TOOLS): $(OUT)/bin/%: $(OUT)/tests/tools/%_main.c.o $(ARCHIVES)
	@mkdir -p $(@D)
	$(CC) $(LD_$(KIND)) $(LDFLAGS) $< $(ARCHIVES) $(LIBS) -o $@

.PHONY: tests benches fuzzers tools
tests: $(TESTS)
benches: $(BENCHES)
fuzzers: $(FUZZERS)
tools: $(TOOLS)

-include $(shell find $(OUT) -name '*.d' 2>/dev/null)
