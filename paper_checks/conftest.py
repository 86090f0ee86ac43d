"""An erratum that a paper check records is the one that the pages show."""

import json
from pathlib import Path

import pytest

RECORDS = Path(__file__).parent / "errata.json"


@pytest.fixture
def erratum(erratum, request):
    """Record an erratum as everywhere, and fail afterwards if errata.json says another thing of this check."""
    told = []

    def record(document, label, **fields):
        erratum(document, label, **fields)
        told.append({"document": document, "label": label, **fields})

    yield record
    name = f"{request.node.path.name}::{request.node.originalname}"
    kept = [row for row in json.loads(RECORDS.read_text()) if row["test"] == name]
    stale = f"{name}: run python -m paper_checks.errata, and look at what changed"
    assert all({"test": name, **found} in kept for found in told), stale
