"""Follows Steadfast without end: `python -m follower --server http://127.0.0.1:8080 --database platform.db`."""

import argparse
import logging
import os
import random
import time
from pathlib import Path

from follower.database import Database
from follower.server import Event, Position, Server

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0  # seconds
ABOUT_A_JOB = {"transition", "alert", "update", "forgotten", "unreadable"}
log = logging.getLogger("follower")


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    flags = arguments()
    database = Database(flags.database)
    server = Server(flags.server, flags.token_file, flags.ca_file)
    failures = 0
    while True:
        try:
            with server.follow(database.position()) as events:
                log.info("following %s behind %s", flags.server, database.position())
                failures = 0
                for event in events:
                    handle(event, server, database)
            log.info("the stream has ended")
        except Exception as error:  # nothing ends a watch; what is wrong is said with every try
            log.warning("%s: %s", type(error).__name__, error)
        time.sleep(min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(failures, 10)) * random.uniform(0.5, 1.0))
        failures += 1


def handle(event: Event, server: Server, database: Database) -> None:
    data = event.data
    if event.name == "reset":
        log.warning("what was had is not of this store, or is no longer kept: all jobs are read anew")
        database.read_anew(Position(data["store"], data["newest"], None), server.jobs())
    elif event.name in ABOUT_A_JOB:  # what a later Steadfast may bring beside these is passed over
        # Asked for before the transaction begins: nothing is locked while the network takes its time.
        record = data["record"] if "record" in data else server.job(data["job"])
        database.take(event, record)


def arguments() -> argparse.Namespace:
    def path(name: str) -> Path | None:
        return Path(os.environ[name]) if os.environ.get(name) else None

    parser = argparse.ArgumentParser(prog="follower", description="Keeps a table of jobs by Steadfast's event stream.")
    server = os.environ.get("STEADFAST_SERVER", "http://127.0.0.1:8080")
    parser.add_argument("--server", default=server, help="the engine's address; or STEADFAST_SERVER")
    token, authority = path("STEADFAST_TOKEN_FILE"), path("STEADFAST_CA_FILE")
    parser.add_argument("--token-file", type=Path, default=token, help="holds the token; or STEADFAST_TOKEN_FILE")
    parser.add_argument("--ca-file", type=Path, default=authority, help="beside the system's; or STEADFAST_CA_FILE")
    parser.add_argument("--database", type=Path, default=Path("platform.db"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
