/* output.h - what is printed: JSON for programs, aligned tables for people. */
#ifndef LEASEHOLD_WALLET_OUTPUT_H
#define LEASEHOLD_WALLET_OUTPUT_H

#include "base/json.h"
#include "base/units.h"

#include <signal.h>

#define TABLE_COLUMNS_MAX 12

void print_json(json_t *value); /* consumes it; one value, indented, and a newline */

/* Each line of a text as a string of an array. */
json_t *lines_to_json(const char *text);

/* Sets "<key>" to the amount as text and "<key>Wei" to its wei in decimal. */
void json_set_amount(json_t *object, const char *key, struct u256 wei);

/* For people: at most six decimals, or as many as four digits need; rounded down. JSON and errors
 * have the exact amount. */
void amount_to_short(char out[AMOUNT_TEXT_SIZE], struct u256 wei);

/* Rows of cells, the columns as wide as they need; printed by table_print and freed. */
struct table {
    size_t columns;
    json_t *rows; /* array of arrays of strings */
};
void table_init(struct table *t, size_t columns, const char *const *titles);
void table_add(struct table *t, const char *const *cells);
void table_print(struct table *t);

/* A size for people: "12.3 KiB". */
void size_to_text(char out[32], uint64_t size_bytes);
/* "in 5 min", "3 h ago", from a time in Unix seconds and now. */
void time_to_text(char out[32], uint64_t when_s, uint64_t now_s);

/* Raised by SIGINT and SIGTERM once stop_watch was called. */
void stop_watch(void);
const bool *stop_flag(void);
const volatile sig_atomic_t *stop_signal(void); /* the number of that signal, or 0 */

#endif
