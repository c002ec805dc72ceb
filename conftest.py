"""Every test and doctest has a limit of processor time, so that `make quick` stays quick."""

import os
from collections.abc import Generator

import pytest

SECONDS = 10.0  # of processor time that a test without the marker `slow` or `end_to_end` may take
_shared = pytest.StashKey[float]()


def processor_time() -> float:
    """Seconds of this process, all its threads and the processes that it has waited for."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[object], request: pytest.FixtureRequest
) -> Generator[None, object, object]:
    """Note what fixtures of the session take (compiled code, data): the test that comes first is not to blame."""
    begun = processor_time()
    try:
        return (yield)
    finally:
        if fixturedef.scope == "session":
            stash = request.session.stash
            stash[_shared] = stash.get(_shared, 0.0) + processor_time() - begun


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Note when a test begins."""
    item.stash[_shared] = processor_time() - item.session.stash.get(_shared, 0.0)
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a passed test that takes long and does not say so."""
    report = yield
    marked = any(item.get_closest_marker(name) for name in ("slow", "end_to_end"))
    # Coverage slows tests down, and more examples are meant to take longer.
    longer = item.config.getoption("cov_source", None) or item.config.getoption("--hypothesis-profile", None)
    if call.when != "call" or not report.passed or marked or longer:
        return report
    taken = processor_time() - item.session.stash.get(_shared, 0.0) - item.stash[_shared]
    if taken > SECONDS:
        report.outcome = "failed"
        report.longrepr = (
            f"{item.nodeid} took {taken:.1f} s of processor time with its fixtures, more than {SECONDS:.0f} s; "
            "make it smaller, or mark it with @pytest.mark.slow (or end_to_end, where it runs a whole command)."
        )
    return report
