"""A plot of what `bench_loop.py --results` has written: presses an object in each round, as a share of drawing.

python tests/benchmarks/plot_loop.py PICTURE.png RESULTS.jsonl... [--way loop] [--level 0.85]
"""

import argparse
import json
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 760, 380, 64, 24, 190, 56
COLOURS = ("#1766b8", "#c2410c", "#1d7a3e", "#7c3aed", "#8a5a00")
WAYS = {"loop": "proposals, the rest by hand", "loop and pointing": "proposals and the assistant"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("picture", type=Path)
    parser.add_argument("results", type=Path, nargs="+")
    parser.add_argument("--way", default="loop", choices=WAYS)
    parser.add_argument("--level", default="0.85")
    options = parser.parse_args()
    lines = {path.stem: _points(path, options.way, options.level) for path in options.results}
    title = f"Presses per object, as a share of drawing: {WAYS[options.way]}"
    _drawn(lines, title).save(options.picture, optimize=True)


def _points(path: Path, way: str, level: str) -> list[tuple[int, float]]:
    """(images corrected before, share) of each round."""
    rounds = [json.loads(line) for line in path.read_text().splitlines()]
    return [(entry["from"], entry["next"][level]["shares"][way]) for entry in rounds if entry["next"]["objects"]]


def _drawn(lines: dict[str, list[tuple[int, float]]], title: str) -> Image.Image:
    picture = Image.new("RGB", (WIDTH, HEIGHT), "white")
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(14)
    most = max(at for points in lines.values() for at, _ in points) or 1
    high = max(1.0, *(share for points in lines.values() for _, share in points))
    across, down = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM - 20

    def place(at: float, share: float) -> tuple[float, float]:
        return LEFT + at / most * across, TOP + 20 + (1 - share / high) * down

    pen.text((LEFT, 8), title, "#1d2125", font)
    for tick in (0, 0.2, 0.4, 0.6, 0.8, 1.0):
        pen.line((*place(0, tick), *place(most, tick)), "#dfe3e8")
        pen.text((LEFT - 34, place(0, tick)[1] - 9), f"{tick:.1f}", "#5a626b", font)
    for at in sorted({at for points in lines.values() for at, _ in points}):
        pen.text((place(at, 0)[0] - 6, place(0, 0)[1] + 6), str(at), "#5a626b", font)
    pen.text((LEFT, HEIGHT - 26), "images corrected before", "#5a626b", font)
    for number, (name, points) in enumerate(lines.items()):
        colour = COLOURS[number % len(COLOURS)]
        spots = [place(*point) for point in points]
        pen.line(spots, colour, 3)
        for x, y in spots:
            pen.ellipse((x - 4, y - 4, x + 4, y + 4), colour)
        y = TOP + 24 + 24 * number
        pen.line((WIDTH - RIGHT + 20, y + 9, WIDTH - RIGHT + 44, y + 9), colour, 3)
        pen.text((WIDTH - RIGHT + 52, y), name, "#1d2125", font)
    return picture


if __name__ == "__main__":
    main()
