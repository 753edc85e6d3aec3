/* image_store.h - pages of the images that a run has dumped, with their proofs.
 *
 * What a provider answers an auditor from: a folder of image-K files, as run_keep.dump_folder gets
 * them. Files are mapped and their trees built when they are first asked for, and kept: 64 bytes of
 * memory for each page of a buffer asked for. One thread. */
#ifndef LEASEHOLD_COMPUTE_IMAGE_STORE_H
#define LEASEHOLD_COMPUTE_IMAGE_STORE_H

#include "compute/trace.h"

struct image_store;
/* Borrows the plan, keeps the folder's name. */
struct image_store *image_store_open(const char *folder, const struct plan *plan);
void image_store_close(struct image_store *store);
/* E_RANGE: there can be no such page. E_NOT_FOUND: there is no such image. E_LIMIT: more than
 * TRACE_DUMPS_MAX are open. E_MALFORMED: the file has not the image's size. E_IO. */
MUST_CHECK enum status image_store_page(struct image_store *store, const struct trace_page *at,
                                        uint8_t out[IMAGE_PAGE_BYTES], struct merkle_proof *proof);

#endif
