package steadfast.follower;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import okhttp3.MediaType;
import okhttp3.Protocol;
import okhttp3.Request;
import okhttp3.Response;
import okhttp3.ResponseBody;
import org.junit.jupiter.api.Test;

/** What is read from a stream, and from the data of each kind of event. */
class StreamTest {
    private static final String TRANSITION = """
            id: 5
            event: transition
            data: {"job":"-/-/two","sequence":5,"at":"2026-11-30T05:23:28.303Z","revision":4,"body":{"sequence":5,\
            "from":"RUNNING","to":"FAILED","confidence":"confirmed","reason":{"code":"FlinkReports",\
            "message":"Flink reports FAILED"},"attempt":1},"store":"902b"}

            """;
    private static final String ALERT = """
            id: 7
            event: alert
            data: {"job":"-/-/two","sequence":7,"at":"2026-11-30T05:23:29Z","revision":6,"body":{"alert":"JobFailed",\
            "job":"-/-/two","scope":"job","status":"firing","message":"Flink reports FAILED"},"store":"902b"}

            """;
    private static final String UPDATE = """
            event: update
            data: {"job":"-/-/two","sequence":8,"at":"2026-11-30T05:23:30Z","revision":7,"body":null,"store":"902b"}

            """;
    private static final String UNREADABLE = """
            event: unreadable
            data: {"job":"-/-/two","sequence":9,"why":"not JSON","store":"902b","at":"2026-11-30T05:24:00Z"}

            """;

    private static Response answer(int code, String type, String body) {
        return new Response.Builder()
                .request(new Request.Builder().url("http://127.0.0.1/api/v1/events").build())
                .protocol(Protocol.HTTP_1_1)
                .code(code)
                .message("")
                .header("Steadfast-Store", "902b")
                .header("Content-Type", type)
                .body(ResponseBody.create(body, MediaType.get(type)))
                .build();
    }

    private static List<Event> events(String body) throws Exception {
        List<Event> events = new ArrayList<>();
        Server.read(answer(200, "text/event-stream", body), () -> {}, events::add);
        return events;
    }

    @Test
    void eventsComeInOrderAndKeepAlivesAreNone() throws Exception {
        List<Event> events = events(":\n\n" + TRANSITION + ":\n\n" + ALERT + UPDATE + UNREADABLE);
        assertEquals(List.of("transition", "alert", "update", "unreadable"), events.stream().map(Event::name).toList());
        assertEquals(List.of(5L, 7L, 8L, 9L), events.stream().map(Event::sequence).toList());
        assertEquals(new Position("902b", 5, "2026-11-30T05:23:28.303Z"), events.get(0).position());
        assertEquals(new Position("902b", 9, null), events.get(3).position()); // when it was sent is no entry's time
    }

    @Test
    void usersAreToldOfAllButUpdates() throws Exception {
        List<Event> events = events(TRANSITION + ALERT + UPDATE + UNREADABLE);
        assertEquals("RUNNING -> FAILED (confirmed): Flink reports FAILED", events.get(0).description(null));
        assertEquals("JobFailed firing: Flink reports FAILED", events.get(1).description(null));
        assertNull(events.get(2).description(null));
        assertEquals("an event of it cannot be read; now no longer on record", events.get(3).description(null));
    }

    @Test
    void anEventThatIsCutOffIsNone() throws Exception {
        String half = TRANSITION + ALERT.stripTrailing() + "\n"; // all its lines came, the blank one at its end did not
        assertEquals(1, events(half).size());
    }

    @Test
    void nothingIsHandledBehindWhatFailed() {
        List<Event> events = new ArrayList<>();
        IOException failure = assertThrows(IOException.class, () -> Server.read(
                answer(200, "text/event-stream", TRANSITION + ALERT), () -> {}, event -> {
                    events.add(event);
                    throw new IOException("the disk is full");
                }));
        assertEquals("the disk is full", failure.getMessage());
        assertEquals(1, events.size());
    }

    @Test
    void dataWithoutWhatIsNeededIsRefused() throws Exception {
        Event event = events("event: transition\ndata: {\"job\":\"-/-/two\"}\n\n").get(0);
        assertThrows(IllegalArgumentException.class, event::sequence);
        assertThrows(IllegalArgumentException.class, () -> event.description(null));
    }

    @Test
    void onlySteadfastSaysThatThereIsNoSuchJob() throws Exception {
        String problem = "application/problem+json";
        assertNull(Server.record(answer(404, problem, "{\"code\":\"no-such-job\"}")));
        assertThrows(IOException.class, () -> Server.record(answer(404, problem, "{\"code\":\"job-not-known\"}")));
        assertThrows(IOException.class, () -> Server.record(answer(404, "application/json", "{\"message\":\"no Route matched\"}")));
        assertThrows(IOException.class, () -> Server.record(answer(404, "text/html", "<p>default backend")));
    }

    @Test
    void anotherAnswerIsNoStream() {
        assertThrows(IOException.class, () -> Server.read(answer(503, "text/plain", "no"), () -> {}, event -> {}));
        assertThrows(Exception.class, () -> Server.read(answer(200, "text/html", "<p>"), () -> {}, event -> {}));
        Response foreign = answer(200, "text/event-stream", TRANSITION).newBuilder().removeHeader("Steadfast-Store").build();
        assertThrows(IOException.class, () -> Server.read(foreign, () -> {}, event -> {}));
    }
}
