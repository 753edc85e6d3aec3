#include "base/hex.h"

#include "base/keccak.h"

#include <assert.h>
#include <string.h>

static const char DIGITS[] = "0123456789abcdef";

void hex_encode(char *out, struct bytes input)
{
    assert(out);
    *out++ = '0';
    *out++ = 'x';
    for (size_t i = 0; i < input.size; i++) {
        *out++ = DIGITS[input.data[i] >> 4];
        *out++ = DIGITS[input.data[i] & 15];
    }
    *out = 0;
}

void hex_append(struct buffer *out, struct bytes input)
{
    size_t size = 2 * input.size + 3;
    buffer_reserve(out, size);
    hex_encode((char *)out->data + out->size, input);
    out->size += size - 1;
}

static int digit_value(uint8_t c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

static bool is_hex(struct bytes text)
{
    if (text.size < 2 || text.size % 2) return false;
    if (text.data[0] != '0' || text.data[1] != 'x') return false;
    for (size_t i = 2; i < text.size; i++) {
        if (digit_value(text.data[i]) < 0) return false;
    }
    return true;
}

static void decode_digits(uint8_t *out, struct bytes text)
{
    for (size_t i = 2; i < text.size; i += 2) {
        unsigned high = (unsigned)digit_value(text.data[i]);
        unsigned low = (unsigned)digit_value(text.data[i + 1]);
        assert(high < 16 && low < 16); /* is_hex came first */
        *out++ = (uint8_t)(high << 4 | low);
    }
}

enum status hex_decode(struct buffer *out, struct bytes text)
{
    if (!is_hex(text)) return E_MALFORMED;
    decode_digits(buffer_extend(out, text.size / 2 - 1), text);
    return OK;
}

enum status hex_decode_exact(uint8_t *out, size_t size, struct bytes text)
{
    if (!is_hex(text) || text.size / 2 - 1 != size) return E_MALFORMED;
    decode_digits(out, text);
    return OK;
}

void address_to_text(char out[43], const struct address *a)
{
    hex_encode(out, address_bytes(a));
    struct hash h = keccak256(bytes_of(out + 2, 40));
    for (size_t i = 0; i < 40; i++) {
        int nibble = i % 2 ? h.b[i / 2] & 15 : h.b[i / 2] >> 4;
        if (nibble >= 8 && out[2 + i] >= 'a') out[2 + i] = (char)(out[2 + i] - 'a' + 'A');
    }
}

static bool is_single_case(struct bytes text)
{
    bool upper = false;
    bool lower = false;
    for (size_t i = 2; i < text.size; i++) {
        upper |= text.data[i] >= 'A' && text.data[i] <= 'F';
        lower |= text.data[i] >= 'a' && text.data[i] <= 'f';
    }
    return !(upper && lower);
}

enum status address_from_text(struct address *out, struct bytes text)
{
    struct address a;
    enum status status = hex_decode_exact(a.b, sizeof a.b, text);
    if (status != OK) return status;
    char canonical[43];
    address_to_text(canonical, &a);
    if (!is_single_case(text) && memcmp(canonical, text.data, text.size) != 0) return E_MALFORMED;
    *out = a;
    return OK;
}

enum status hash_from_text(struct hash *out, struct bytes text)
{
    return hex_decode_exact(out->b, sizeof out->b, text);
}

void hash_to_text(char out[67], const struct hash *h)
{
    hex_encode(out, hash_bytes(h));
}
