"""What is asked of the server, and what is made of its answers."""

import unittest
from collections.abc import Callable
from unittest.mock import Mock

import httpx
from follower.__main__ import handle
from follower.server import Event, Position, Server

STREAM = {"Content-Type": "text/event-stream", "Steadfast-Store": "902b"}
EVENTS = ':\n\nid: 5\nevent: update\ndata: {"job":"-/-/two","sequence":5,"store":"902b"}\n\nevent: cut\ndata: {"off":'


def server(answer: Callable[[httpx.Request], httpx.Response]) -> Server:
    server = Server("http://127.0.0.1")
    server._http = httpx.Client(transport=httpx.MockTransport(answer), base_url="http://127.0.0.1")
    return server


class FollowTest(unittest.TestCase):
    def followed(self, position: Position | None, knows_records: bool) -> tuple[list[Event], list[str]]:
        asked: list[str] = []

        def answer(request: httpx.Request) -> httpx.Response:
            asked.append(request.url.query.decode())
            if "job=true" in asked[-1] and not knows_records:
                return httpx.Response(400, json={"parameter": "job"})
            return httpx.Response(200, headers=STREAM, text=EVENTS)

        with server(answer).follow(position) as events:
            return list(events), asked

    def test_an_event_that_is_cut_off_is_none(self) -> None:
        events, _ = self.followed(None, knows_records=True)
        self.assertEqual(events, [Event("update", {"job": "-/-/two", "sequence": 5, "store": "902b"})])

    def test_the_position_is_whole_and_records_are_asked_for(self) -> None:
        _, asked = self.followed(Position("902b", 4, "2026"), knows_records=True)
        self.assertEqual(asked, ["store=902b&after=4&at=2026&job=true"])

    def test_a_server_that_knows_no_records_is_asked_without(self) -> None:
        _, asked = self.followed(None, knows_records=False)
        self.assertEqual(asked, ["store=none&job=true", "store=none"])

    def test_another_answer_is_no_stream(self) -> None:
        for answer in (httpx.Response(503, text="no"), httpx.Response(200, text="<p>"), httpx.Response(200)):
            with self.assertRaises(httpx.HTTPError), server(Mock(return_value=answer)).follow(None) as events:
                list(events)

    def test_all_pages_are_read(self) -> None:
        pages = {None: {"items": [{"id": "a"}], "cursor": "c"}, "c": {"items": [{"id": "b"}], "cursor": None}}
        jobs = server(lambda request: httpx.Response(200, json=pages[request.url.params.get("cursor")])).jobs()
        self.assertEqual([job["id"] for job in jobs], ["a", "b"])

    def test_a_record_that_came_along_is_not_asked_for(self) -> None:
        for record in ({"id": "a"}, None):
            engine, database = Mock(), Mock()
            event = Event("update", {"job": "a", "record": record})
            handle(event, engine, database)
            engine.job.assert_not_called()
            database.take.assert_called_once_with(event, record)

    def test_an_event_of_another_kind_is_passed_over(self) -> None:
        engine, database = Mock(), Mock()
        handle(Event("weather", {}), engine, database)
        self.assertEqual((engine.mock_calls, database.mock_calls), ([], []))

    def test_only_steadfast_says_that_there_is_no_such_job(self) -> None:
        def asked(status: int, code: str | None, kind: str = "application/problem+json") -> httpx.Response:
            text = "{}" if code is None else f'{{"code":"{code}"}}'
            return httpx.Response(status, headers={"Content-Type": kind}, text=text)

        gone = server(Mock(return_value=asked(404, "no-such-job")))
        self.assertIsNone(gone.job("a/b/c"))
        others = [
            asked(404, "job-not-known"),
            asked(404, None),
            asked(404, None, "text/html"),
            asked(403, "no-such-job"),
        ]
        for answer in others:
            answer.request = httpx.Request("GET", "http://127.0.0.1")
            with self.assertRaises(httpx.HTTPStatusError):
                server(Mock(return_value=answer)).job("a/b/c")


if __name__ == "__main__":
    unittest.main()
