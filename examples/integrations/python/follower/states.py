"""Steadfast's states in the platform's words: here StreamPark's `FlinkAppStateEnum`, name and code."""

STATES: dict[str, tuple[str, int]] = {
    "UNKNOWN": ("OTHER", 15),  # not LOST, which ends an application: nobody has seen this job yet
    "INITIALIZING": ("INITIALIZING", 1),
    "CREATED": ("CREATED", 2),
    "STARTING": ("STARTING", 3),
    "RESTARTING": ("RESTARTING", 4),
    "RUNNING": ("RUNNING", 5),
    "SAVEPOINTING": ("RUNNING", 5),  # a job runs while a savepoint is taken; StreamPark has an option state for it
    "FAILING": ("FAILING", 6),
    "FAILED": ("FAILED", 7),
    "CANCELLING": ("CANCELLING", 8),
    "CANCELED": ("CANCELED", 9),
    "FINISHED": ("FINISHED", 10),
    "SUSPENDED": ("SUSPENDED", 11),
    "RECONCILING": ("RECONCILING", 12),
    "LOST": ("LOST", 13),
    "TERMINATED": ("TERMINATED", 18),
}


def platform_state(state: str) -> str:
    """A state that a later Steadfast may bring is OTHER, and no reason to stop following."""
    return STATES.get(state, ("OTHER", 15))[0]
