/* The record of a local network: what is saved comes back, what is no record is refused. */
#include "wallet/devnet.h"

#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/leasehold-devnet-XXXXXX";
static const struct invocation nothing_typed;
static const struct session quiet = {.in = &nothing_typed};

static struct devnet four_nodes(void)
{
    struct devnet d = {.block_ms = 500, .epoch_blocks = 60, .node_count = 4, .worker_count = 1};
    snprintf(d.dir, sizeof d.dir, "%s", folder);
    for (size_t i = 0; i < d.node_count; i++) {
        d.nodes[i].rpc_port = 20001 + i;
        d.nodes[i].p2p_port = 21001 + i;
        d.nodes[i].operator_address.b[19] = (uint8_t)(i + 1);
        d.nodes[i].consensus_address.b[0] = (uint8_t)(i + 1);
    }
    d.nodes[2].killed = true;
    d.workers[0] = (struct devnet_worker){.port = 65535, .fault = "lie"};
    return d;
}

static void comes_back_as_it_was_saved(void **state)
{
    (void)state;
    struct devnet d = four_nodes();
    struct devnet back;
    char error[JSON_ERROR_SIZE] = "";
    assert_int_equal(devnet_save(&quiet, &d), CODE_DONE);
    assert_int_equal(devnet_load(&back, error, folder), OK);
    assert_int_equal(back.node_count, 4);
    assert_int_equal(back.worker_count, 1);
    assert_int_equal(back.block_ms, 500);
    assert_int_equal(back.epoch_blocks, 60);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(back.nodes[i].rpc_port, d.nodes[i].rpc_port);
        assert_int_equal(back.nodes[i].p2p_port, d.nodes[i].p2p_port);
        assert_int_equal(back.nodes[i].killed, i == 2);
        assert_memory_equal(&back.nodes[i].consensus_address, &d.nodes[i].consensus_address, 20);
        assert_memory_equal(&back.nodes[i].operator_address, &d.nodes[i].operator_address, 20);
    }
    assert_string_equal(back.workers[0].fault, "lie");
}

static void lists_all_nodes_from_the_one_asked_for(void **state)
{
    (void)state;
    struct devnet d = four_nodes();
    char urls[DEVNET_URLS_SIZE];
    devnet_urls(urls, &d, 2);
    assert_string_equal(urls, "http://127.0.0.1:20003,http://127.0.0.1:20004,"
                              "http://127.0.0.1:20001,http://127.0.0.1:20002");
}

static void names_as_many_nodes_as_there_can_be(void **state)
{
    (void)state;
    struct devnet d = four_nodes();
    char urls[DEVNET_URLS_SIZE];
    struct rpc *r = NULL;
    char error[JSON_ERROR_SIZE] = "";
    d.node_count = DEVNET_VALIDATORS_MAX;
    for (size_t i = 0; i < d.node_count; i++)
        d.nodes[i].rpc_port = 65535;
    devnet_urls(urls, &d, 0);
    assert_int_equal(strlen(urls), DEVNET_VALIDATORS_MAX * strlen("http://127.0.0.1:65535,") - 1);
    struct rpc_options options = {.urls = urls}; /* and a client takes them all */
    assert_int_equal(rpc_create(&r, &options, error), OK);
    rpc_destroy(r);
}

static void write_record(const char *text)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/devnet.json", folder);
    assert_int_equal(file_write_atomic(path, bytes_of_text(text), 0600), OK);
}

static void refuses_what_is_no_record_of_its_own(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *says;
    } cases[] = {
        {"{\"node\": {\"pid\": 1}, \"rpcPort\": 8545, \"workers\": []}", "older release"},
        {"{\"nodes\": [], \"workers\": []}", "is damaged"},
        {"{\"nodes\": [{\"rpcPort\": 8545, \"p2pPort\": 70000}]}", "is damaged"},
        {"{\"nodes\": [{\"rpcPort\": 0, \"p2pPort\": 1}]}", "is damaged"},
        {"{\"nodes\": [{\"rpcPort\": 1, \"p2pPort\": 1}], \"workers\": [{}]}", "is damaged"},
        {"[]", "is damaged"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct devnet d = {.node_count = 77};
        char error[JSON_ERROR_SIZE] = "";
        write_record(cases[i].text);
        assert_int_equal(devnet_load(&d, error, folder), E_MALFORMED);
        assert_non_null(strstr(error, cases[i].says));
        assert_int_equal(d.node_count, 77);
    }
}

static void has_no_network_where_there_is_no_record(void **state)
{
    (void)state;
    struct devnet d;
    char error[JSON_ERROR_SIZE] = "";
    assert_int_equal(devnet_load(&d, error, "/nonexistent"), E_NOT_FOUND);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state)
{
    (void)state;
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/devnet.json", folder);
    unlink(path);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_back_as_it_was_saved),
        cmocka_unit_test(lists_all_nodes_from_the_one_asked_for),
        cmocka_unit_test(names_as_many_nodes_as_there_can_be),
        cmocka_unit_test(refuses_what_is_no_record_of_its_own),
        cmocka_unit_test(has_no_network_where_there_is_no_record),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
