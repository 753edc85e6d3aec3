#!/usr/bin/env python3
"""Draws the digits that the job learns from: images.bin and labels.bin, always the same bytes.

Each picture is a digit of a 5 x 7 bitmap font, turned, slanted, stretched and shifted by chance,
drawn with 4 x 4 points a pixel on 8 x 8 pixels, with noise and a stroke of chance width. Bytes are
brightness. The first 2000 pictures are for learning, the last 500 for the test.
"""

import math
import random

FONT = [
    "01110 10001 10011 10101 11001 10001 01110",
    "00100 01100 00100 00100 00100 00100 01110",
    "01110 10001 00001 00110 01000 10000 11111",
    "11111 00010 00100 00010 00001 10001 01110",
    "00010 00110 01010 10010 11111 00010 00010",
    "11111 10000 11110 00001 00001 10001 01110",
    "00110 01000 10000 11110 10001 10001 01110",
    "11111 00001 00010 00100 01000 01000 01000",
    "01110 10001 10001 01110 10001 10001 01110",
    "01110 10001 10001 01111 00001 00010 01100",
]
GLYPHS = [[[int(dot) for dot in row] for row in glyph.split()] for glyph in FONT]
COUNT, SIDE, POINTS = 2500, 8, 4


def ink(glyph, u, v, width):
    """How dark the glyph is at (u, v), the glyph's centre being (0, 0) and a dot being 1 wide."""
    best = 0.0
    column, row = math.floor(u + 2.5), math.floor(v + 3.5)
    for y in range(max(row - 1, 0), min(row + 2, 7)):
        for x in range(max(column - 1, 0), min(column + 2, 5)):
            if glyph[y][x]:
                distance = math.hypot(u - (x - 2), v - (y - 3))
                best = max(best, min(1.0, max(0.0, width - distance) * 3.0))
    return best


def draw(chance, digit):
    turn = chance.uniform(-0.22, 0.22)
    slant = chance.uniform(-0.25, 0.25)
    wide, high = chance.uniform(0.85, 1.2), chance.uniform(0.85, 1.1)
    right, down = chance.uniform(-0.8, 0.8), chance.uniform(-0.6, 0.6)
    width, bright = chance.uniform(0.6, 0.95), chance.uniform(0.7, 1.0)
    sine, cosine = math.sin(turn), math.cos(turn)
    picture = []
    for pixel in range(SIDE * SIDE):
        sum_of_points = 0.0
        for point in range(POINTS * POINTS):
            x = pixel % SIDE + (point % POINTS + 0.5) / POINTS - SIDE / 2 - right
            y = pixel // SIDE + (point // POINTS + 0.5) / POINTS - SIDE / 2 - down
            u = (cosine * x + sine * y) / wide
            v = (cosine * y - sine * x) / high
            sum_of_points += ink(GLYPHS[digit], u + slant * v, v, width)
        value = bright * sum_of_points / (POINTS * POINTS) + chance.gauss(0.0, 0.09)
        picture.append(round(255 * min(1.0, max(0.0, value))))
    return bytes(picture)


def main():
    chance = random.Random(1905)
    labels = [number % 10 for number in range(COUNT)]
    chance.shuffle(labels)
    with open("images.bin", "wb") as images:
        for digit in labels:
            images.write(draw(chance, digit))
    with open("labels.bin", "wb") as out:
        out.write(bytes(labels))


if __name__ == "__main__":
    main()
