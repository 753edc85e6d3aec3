#include "wallet/output.h"

#include "base/fatal.h"
#include "base/units.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool stopped;
static volatile sig_atomic_t stop_number; /* the same for those who want that type */

static void on_signal(int number)
{
    stop_number = number;
    __atomic_store_n(&stopped, true, __ATOMIC_RELAXED);
}

void stop_watch(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

const bool *stop_flag(void)
{
    return &stopped;
}

const volatile sig_atomic_t *stop_signal(void)
{
    return &stop_number;
}

void print_json(json_t *value)
{
    if (value == NULL) fatal("making the JSON to print");
    if (json_dumpf(value, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY | JSON_REAL_PRECISION(12)) != 0)
        fatal("printing JSON");
    printf("\n");
    fflush(stdout);
    json_decref(value);
}

void json_set_amount(json_t *object, const char *key, struct u256 wei)
{
    char text[AMOUNT_TEXT_SIZE];
    char decimal[79];
    char wei_key[80];
    amount_to_text(text, wei);
    u256_to_decimal(decimal, wei);
    snprintf(wei_key, sizeof wei_key, "%sWei", key);
    json_object_set_new(object, key, json_string(text));
    json_object_set_new(object, wei_key, json_string(decimal));
}

void amount_to_short(char out[AMOUNT_TEXT_SIZE], struct u256 wei)
{
    amount_to_text(out, wei);
    char *point = strchr(out, '.');
    char *unit = strchr(out, ' ');
    assert(unit != NULL);
    if (point == NULL) return;
    size_t keep = 6;
    size_t zeros = strspn(point + 1, "0");
    if (*out == '0' && zeros + 4 > keep) keep = zeros + 4;
    char *end = point + 1 + keep;
    if (end >= unit) return;
    while (end[-1] == '0')
        end--;
    if (end[-1] == '.') end--;
    memmove(end, unit, strlen(unit) + 1);
}

void table_init(struct table *t, size_t columns, const char *const *titles)
{
    assert(columns > 0 && columns <= TABLE_COLUMNS_MAX);
    *t = (struct table){columns, json_array()};
    table_add(t, titles);
}

void table_add(struct table *t, const char *const *cells)
{
    json_t *row = json_array();
    for (size_t i = 0; i < t->columns; i++)
        json_array_append_new(row, json_string(cells[i]));
    json_array_append_new(t->rows, row);
}

static const char *cell_at(const struct table *t, size_t row, size_t column)
{
    return json_string_value(json_array_get(json_array_get(t->rows, row), column));
}

void table_print(struct table *t)
{
    size_t widths[TABLE_COLUMNS_MAX] = {0};
    size_t rows = json_array_size(t->rows);
    for (size_t r = 0; r < rows; r++) {
        for (size_t c = 0; c < t->columns; c++) {
            size_t size = strlen(cell_at(t, r, c));
            if (size > widths[c]) widths[c] = size;
        }
    }
    for (size_t r = 0; r < rows; r++) {
        for (size_t c = 0; c + 1 < t->columns; c++)
            printf("%-*s  ", (int)widths[c], cell_at(t, r, c));
        printf("%s\n", cell_at(t, r, t->columns - 1));
    }
    json_decref(t->rows);
    *t = (struct table){0};
}

void size_to_text(char out[32], uint64_t size_bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB"};
    double size = (double)size_bytes;
    size_t unit = 0;
    while (size >= 1024 && unit < 3) {
        size /= 1024;
        unit++;
    }
    snprintf(out, 32, unit == 0 ? "%.0f %s" : "%.1f %s", size, units[unit]);
}

void time_to_text(char out[32], uint64_t when_s, uint64_t now_s)
{
    bool past = when_s <= now_s;
    uint64_t distance = past ? now_s - when_s : when_s - now_s;
    const char *unit = "s";
    if (distance >= 2 * 86400) {
        distance /= 86400;
        unit = "days";
    } else if (distance >= 7200) {
        distance /= 3600;
        unit = "h";
    } else if (distance >= 120) {
        distance /= 60;
        unit = "min";
    }
    snprintf(out, 32, past ? "%llu %s ago" : "in %llu %s", (unsigned long long)distance, unit);
}

json_t *lines_to_json(const char *text)
{
    json_t *lines = json_array();
    char *save = NULL;
    char *copy = strdup(text);
    if (copy == NULL) return lines;
    for (char *line = strtok_r(copy, "\n", &save); line != NULL;
         line = strtok_r(NULL, "\n", &save)) {
        json_t *value = json_string(line);
        if (value != NULL) json_array_append_new(lines, value);
    }
    free(copy);
    return lines;
}
