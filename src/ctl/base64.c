/* Base64. */
#include "base64.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(struct text *out, struct bytes plain)
{
    for (size_t i = 0; i < plain.len; i += 3) {
        size_t left = plain.len - i;
        uint32_t bits = (uint32_t)plain.at[i] << 16;
        bits |= left > 1 ? (uint32_t)plain.at[i + 1] << 8 : 0;
        bits |= left > 2 ? plain.at[i + 2] : 0;
        char four[4] = {digits[bits >> 18], digits[bits >> 12 & 63],
                        left > 1 ? digits[bits >> 6 & 63] : '=',
                        left > 2 ? digits[bits & 63] : '='};
        text_add(out, four, 4);
    }
}

void base64_decode(struct text *out, struct bytes encoded)
{
    uint32_t bits = 0;
    unsigned have = 0;
    for (size_t i = 0; i < encoded.len; i++) {
        const char *digit = encoded.at[i] ? strchr(digits, encoded.at[i]) : NULL;
        if (!digit)
            return;
        bits = bits << 6 | (uint32_t)(digit - digits);
        have += 6;
        if (have >= 8) {
            have -= 8;
            text_add(out, &(uint8_t){(uint8_t)(bits >> have)}, 1);
        }
    }
}
