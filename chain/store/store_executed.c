#include "chain/store/store.h"

#include <assert.h>

struct forms { /* the stored forms of one block, in one buffer each */
    struct buffer block;
    struct buffer receipts;
    struct buffer system_logs;
    struct buffer record;
};

static void encode_forms(struct forms *f, const struct executed *e)
{
    block_encode(&f->block, &e->block);
    receipts_encode(&f->receipts, e->receipts, e->block.tx_count);
    logs_encode(&f->system_logs, e->system_logs, e->system_log_count);
    epoch_record_encode(&f->record, e->record);
}

static void finish_forms(struct forms *f)
{
    buffer_finish(&f->block);
    buffer_finish(&f->receipts);
    buffer_finish(&f->system_logs);
    buffer_finish(&f->record);
}

void store_write_executed(struct store_write *w, const struct executed *e, struct bytes certificate)
{
    struct forms f = {0};
    struct bloom bloom = executed_bloom(e);
    encode_forms(&f, e);
    struct store_block b = {
        .number = e->block.header.number,
        .hash = e->hash,
        .state_root = e->block.header.state_root,
        .block = buffer_bytes(&f.block),
        .receipts = buffer_bytes(&f.receipts),
        .system_logs = buffer_bytes(&f.system_logs),
        .epoch_record = buffer_bytes(&f.record),
        .certificate = certificate,
        .bloom = bytes_of(bloom.b, sizeof bloom.b),
        .transactions = e->tx_hashes,
        .transaction_count = e->block.tx_count,
    };
    assert(layer_is_sealed(e->layer));
    store_write_block(w, &b);
    store_write_layer(w, e->layer);
    if (e->record->epoch.start_number == b.number) {
        store_write_set(w, e->record->epoch.number, b.epoch_record);
    }
    finish_forms(&f);
}
