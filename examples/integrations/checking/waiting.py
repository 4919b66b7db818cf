"""Nothing here sleeps and hopes: what does not come in time is an error that says what was waited for."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class NotInTimeError(Exception):
    """What was waited for has not come."""


def until(condition: Callable[[], T], what: str, seconds: float = 60.0) -> T:
    """Asks until the answer counts as true, and gives it."""
    by = time.monotonic() + seconds
    while not (answer := condition()):
        if time.monotonic() > by:
            raise NotInTimeError(f"not within {seconds:.0f} s: {what}")
        time.sleep(0.03)
    return answer
