package steadfast.follower;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the database holds after events, and after those that come twice, late or not at all. */
class DatabaseTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    Path folder;

    private Database database;

    @BeforeEach
    void begin() throws Exception {
        database = new Database(folder.resolve("platform.db"));
        database.readAnew(new Position("s", 10, null), List.of(record("a/b/c", "RUNNING", 5, "")));
    }

    @AfterEach
    void end() throws Exception {
        database.close();
    }

    @Test
    void aFileOfOtherTablesIsRefused() throws Exception {
        Path file = folder.resolve("other.db");
        new Database(file).close();
        try (Connection db = DriverManager.getConnection("jdbc:sqlite:" + file)) {
            db.createStatement().execute("PRAGMA user_version = 1");
        }
        SQLException refused = assertThrows(SQLException.class, () -> new Database(file));
        assertEquals(file + " has tables of version 1, not 2: move it away, and all jobs are read anew", refused.getMessage());
    }

    private static JsonNode record(String job, String state, long revision, String alerts) throws Exception {
        return JSON.readTree("""
                {"id":"%s","cluster":"a","state":"%s","confidence":"confirmed","since":"2026","revision":%d,"alerts":[%s]}"""
                .formatted(job, state, revision, alerts));
    }

    private static Event failed(long sequence, long revision) throws Exception {
        return new Event("transition", JSON.readTree("""
                {"job":"a/b/c","sequence":%d,"at":"at","revision":%d,"store":"s","body":{"from":"RUNNING","to":"FAILED",\
                "confidence":"confirmed","reason":{"message":"Flink reports FAILED"}}}""".formatted(sequence, revision)));
    }

    private static Event forgotten(String store) throws Exception {
        String store11 = "{\"job\":\"a/b/c\",\"sequence\":11,\"at\":\"at\",\"revision\":6,\"body\":null%s}";
        return new Event("forgotten", JSON.readTree(store11.formatted(store)));
    }

    private List<String> column(String query) throws Exception {
        List<String> values = new ArrayList<>();
        try (Connection db = DriverManager.getConnection("jdbc:sqlite:" + folder.resolve("platform.db"));
                ResultSet rows = db.createStatement().executeQuery(query)) {
            while (rows.next()) {
                values.add(rows.getString(1));
            }
        }
        return values;
    }

    private List<String> told() throws Exception {
        return column("SELECT what FROM told ORDER BY number");
    }

    @Test
    void anEventThatComesTwiceIsToldOnce() throws Exception {
        database.take(failed(11, 6), record("a/b/c", "FAILED", 6, ""));
        database.take(failed(11, 6), record("a/b/c", "FAILED", 6, ""));
        assertEquals(List.of("RUNNING -> FAILED (confirmed): Flink reports FAILED"), told());
        assertEquals(new Position("s", 11, "at"), database.position());
    }

    @Test
    void whatFailsHalfWayIsTakenBackWhole() throws Exception {
        Event withoutStore = forgotten(""); // its position, which is written last, cannot be known
        assertThrows(IllegalArgumentException.class, () -> database.take(withoutStore, null));
        assertEquals(List.of(), told());
        assertEquals(List.of("RUNNING"), column("SELECT state FROM jobs"));
        database.take(forgotten(",\"store\":\"s\""), null);
        assertEquals(List.of("forgotten"), told());
        assertEquals(List.of(), column("SELECT state FROM jobs"));
    }

    @Test
    void anOlderRecordDoesNotReplaceANewerOne() throws Exception {
        database.take(failed(11, 6), record("a/b/c", "RUNNING", 8, ""));
        database.take(failed(12, 7), record("a/b/c", "FAILED", 7, ""));
        assertEquals(List.of("RUNNING"), column("SELECT state FROM jobs"));
    }

    @Test
    void readingAnewTellsWhatDiffersAndEventsBeforeItNothingMore() throws Exception {
        String alert = "{\"alert\":\"JobFailed\",\"scope\":\"job\"}";
        List<String> expected = new ArrayList<>(
                List.of("now FAILED, read anew", "now RUNNING, read anew", "JobFailed firing, read anew"));
        database.readAnew(new Position("t", 3, null), List.of(
                record("a/b/c", "FAILED", 9, alert), record("a/b/d", "RUNNING", 1, "")));
        assertEquals(expected, told());
        database.take(failed(4, 9), record("a/b/c", "FAILED", 9, alert));
        assertEquals(expected, told());
        database.readAnew(new Position("t", 5, null), List.of(record("a/b/d", "RUNNING", 1, "")));
        expected.addAll(List.of("no longer on record, read anew", "JobFailed resolved, read anew"));
        assertEquals(expected, told());
    }

    @Test
    void anAlertOfAClusterIsToldOnce() throws Exception {
        String alert = "{\"alert\":\"FleetDisrupted\",\"scope\":\"cluster\"}";
        database.readAnew(new Position("s", 20, null), List.of(
                record("a/b/c", "RUNNING", 5, alert), record("a/b/d", "RUNNING", 5, alert)));
        assertEquals(List.of("now RUNNING, read anew", "FleetDisrupted firing, read anew"), told());
    }

    private static Event alert(long sequence, long revision, boolean silenced) throws Exception {
        return new Event("alert", JSON.readTree("""
                {"job":"a/b/c","sequence":%d,"at":"at","revision":%d,"store":"s","body":{"alert":"JobFailed","scope":"job",\
                "status":"firing","message":"failed","silenced":%s}}""".formatted(sequence, revision, silenced)));
    }

    @Test
    void ofWhatIsSilencedUsersAreToldWhenTheSilenceEnds() throws Exception {
        JsonNode loud = record("a/b/c", "FAILED", 6, "{\"alert\":\"JobFailed\",\"scope\":\"job\"}");
        ObjectNode silenced = loud.deepCopy();
        silenced.putArray("silences").addObject().put("alert", "JobFailed");
        database.take(alert(11, 6, true), silenced);
        database.readAnew(new Position("t", 12, null), List.of(silenced));
        assertEquals(List.of(), told());
        database.take(alert(13, 7, false), loud);
        // A silence that comes when it was told already, and goes: nothing is new.
        database.readAnew(new Position("u", 14, null), List.of(silenced));
        database.readAnew(new Position("v", 15, null), List.of(loud));
        database.readAnew(new Position("w", 16, null), List.of(record("a/b/c", "FAILED", 8, "")));
        assertEquals(List.of("JobFailed firing: failed", "JobFailed resolved, read anew"), told());
    }

    @Test
    void aStateOfALaterSteadfastIsNoEnd() {
        assertEquals("OTHER", States.of("HIBERNATING").name());
        assertEquals(5, States.of("SAVEPOINTING").code());
    }
}
