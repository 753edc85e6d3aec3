#!/usr/bin/env python3
"""Makes digits.bin: 1280 pictures of digits, 12 x 12 pixels, drawn from the glyphs below with random
shift, slant, thickness and noise (a fixed seed: the file is the same every time). For each picture 144
bytes of grey and one byte with the digit it shows. The data is made here and belongs to nobody."""
import random

GLYPHS = [
    " ### #   ##   ##   ##   ##   # ### ",
    "  #   ##  # #    #    #    #  #####",
    " ### #   #    #   #   #   #   #####",
    " ### #   #    #  ##     ##   # ### ",
    "   #   ##  # # #  # #####   #    # ",
    "######    ####     #    ##   # ### ",
    " ### #   ##    #### #   ##   # ### ",
    "#####    #   #   #   #    #    #   ",
    " ### #   ##   # ### #   ##   # ### ",
    " ### #   ##   # ####    ##   # ### ",
]


def lit(glyph, x, y):
    """Grey of a glyph of 5 x 7 cells at cell coordinates, with soft edges."""
    total = 0.0
    for gy in range(7):
        for gx in range(5):
            if glyph[gy * 5 + gx] == "#":
                d = max(abs(x - gx), abs(y - gy))
                total = max(total, min(1.0, max(0.0, 1.15 - d)))
    return total


def picture(digit, chance):
    shift_x, shift_y = chance.uniform(-1.6, 1.6), chance.uniform(-1.4, 1.4)
    slant, size = chance.uniform(-0.25, 0.25), chance.uniform(1.15, 1.55)
    strength, noise = chance.uniform(0.6, 1.0), chance.uniform(0.04, 0.16)
    pixels = bytearray()
    for py in range(12):
        for px in range(12):
            y = (py - 5.5 - shift_y) / size + 3.0
            x = (px - 5.5 - shift_x) / size + 2.0 + slant * (y - 3.0)
            value = strength * lit(GLYPHS[digit], x, y) + chance.gauss(0.0, noise)
            pixels.append(int(255 * min(1.0, max(0.0, value))))
    return bytes(pixels)


def main():
    chance = random.Random(20250601)
    assert all(len(glyph) == 35 for glyph in GLYPHS)
    with open("digits.bin", "wb") as out:
        for _ in range(1280):
            digit = chance.randrange(10)
            out.write(picture(digit, chance) + bytes([digit]))


main()
