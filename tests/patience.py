"""How long tests wait: until a condition holds, and for a test that hangs."""

import signal
import time

import pytest

# A sanitized steward on two busy cores is slow: a deadline has to be so long that passing it means "never".
DEADLINE = 120.0


def wait_until(condition, what="the condition", deadline=DEADLINE, pause=0.005):
    """Returns the first true value of condition(); fails when the deadline passes first."""
    end = time.monotonic() + deadline
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"{what}: not within {deadline} s"
        time.sleep(pause)


def watchdog_after(seconds):
    """A fixture for every test: one that hangs fails, with the place where it hung."""

    @pytest.fixture(autouse=True)
    def watchdog():
        def bark(*_):
            raise AssertionError("the test hangs")

        signal.signal(signal.SIGALRM, bark)
        signal.alarm(seconds)
        yield
        signal.alarm(0)

    return watchdog
