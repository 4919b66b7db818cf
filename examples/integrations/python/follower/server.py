"""What is asked of Steadfast: its event stream, all jobs, one job."""

import json
import ssl
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
from httpx_sse import EventSource, connect_sse

# The stream says every 15 s that it lives; one that is silent for three times as long does not.
SILENCE = 45.0

Json = dict[str, Any]


@dataclass(frozen=True)
class Position:
    """The last event that was handled: a number alone does not show that a store is another one."""

    store: str
    sequence: int
    at: str | None


@dataclass(frozen=True)
class Event:
    name: str
    data: Json


class Server:
    def __init__(self, address: str, token_file: Path | None = None, ca_file: Path | None = None) -> None:
        trust = ssl.create_default_context()
        if ca_file:
            trust.load_verify_locations(ca_file)

        def authorize(request: httpx.Request) -> httpx.Request:
            if token_file:  # read each time: tokens are changed in their file
                request.headers["Authorization"] = f"Bearer {token_file.read_text().strip()}"
            return request

        self._http = httpx.Client(
            base_url=address, auth=authorize, verify=trust, timeout=httpx.Timeout(10.0, read=SILENCE)
        )

    @contextmanager
    def follow(self, position: Position | None) -> Generator[Iterator[Event]]:
        """Opens the stream behind a position. Who has none has one of no store, and is sent `reset` at once."""
        where = {"store": "none"}
        if position:
            where = {"store": position.store, "after": str(position.sequence)} | (
                {"at": position.at} if position.at else {}
            )
        # `job=true`: each event brings its job's record. Servers that do not know it yet answer 400.
        with connect_sse(self._http, "GET", "/api/v1/events", params=where | {"job": "true"}) as source:
            if source.response.status_code != httpx.codes.BAD_REQUEST:
                yield _events(source)
                return
        with connect_sse(self._http, "GET", "/api/v1/events", params=where) as source:
            yield _events(source)

    def jobs(self) -> Iterator[Json]:
        """All jobs on record, page by page."""
        cursor: str | None = None
        while True:
            page = self._http.get("/api/v1/jobs", params={"cursor": cursor} if cursor else {}).raise_for_status().json()
            yield from page["items"]
            cursor = page["cursor"]
            if cursor is None:
                return

    def job(self, job: str) -> Json | None:
        """One job as it is now; `None` if it is no longer on record."""
        answer = self._http.get(f"/api/v1/jobs/{quote(job)}")
        if _says_no_such_job(answer):
            return None
        record: Json = answer.raise_for_status().json()
        return record


def _says_no_such_job(answer: httpx.Response) -> bool:
    """Whether Steadfast says it: a proxy's 404 says nothing of a job, nor does one while its cluster cannot be read."""
    is_problem = answer.headers.get("Content-Type", "").startswith("application/problem+json")
    return answer.status_code == httpx.codes.NOT_FOUND and is_problem and answer.json().get("code") == "no-such-job"


def _events(source: EventSource) -> Iterator[Event]:
    answer = source.response
    if not answer.is_success:
        answer.read()
        message = f"the stream was refused with {answer.status_code}: {answer.text[:300]}"
        raise httpx.HTTPStatusError(message, request=answer.request, response=answer)
    if "Steadfast-Store" not in answer.headers:  # such as a gateway's login page
        message = "this is not Steadfast's event stream: the header Steadfast-Store is missing"
        raise httpx.RemoteProtocolError(message, request=answer.request)
    return (Event(sse.event, json.loads(sse.data)) for sse in source.iter_sse())
