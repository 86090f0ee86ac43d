"""Verdicts given inside these tests are material, not results: they stay out of the report."""

import pytest

from laws.judges.confrontation import listeners


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_call(item):
    """Nobody listens while a test of the code itself runs."""
    deaf = listeners.set(())
    try:
        return (yield)
    finally:
        listeners.reset(deaf)
