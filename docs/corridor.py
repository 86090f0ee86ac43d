"""Draw docs/corridor.png: figure 2 of Ratzon and others (2024), of the stored record of the full corridor runs."""

import io
from pathlib import Path

from matplotlib.figure import Figure
from PIL import Image

from numerics import corridor

RECORD = Path(__file__).parent.parent / "validate" / "records" / "corridor" / "history.npz"


def draw() -> Figure:
    """Thin lines are networks, thick lines their medians; arena and rate maps are of the first."""
    return corridor.figure(corridor.load(RECORD))


if __name__ == "__main__":
    drawn = io.BytesIO()
    draw().savefig(drawn, dpi=110)
    few = Image.open(drawn).convert("RGB").quantize(256)  # colours, which keep the file small
    few.save(Path(__file__).with_suffix(".png"), optimize=True)
