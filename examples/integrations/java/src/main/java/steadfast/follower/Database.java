package steadfast.follower;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.sqlite.SQLiteConfig;

/**
 * The platform's database. `jobs`, `told` and `position` change in one transaction, so that a kill at any moment leaves them
 * agreeing.
 */
final class Database implements AutoCloseable {
    private static final List<String> SCHEMA = List.of("""
            CREATE TABLE IF NOT EXISTS jobs (
                id TEXT PRIMARY KEY,
                state TEXT NOT NULL,                        -- Steadfast's word
                platform_state TEXT NOT NULL,               -- the platform's
                confidence TEXT NOT NULL,
                since TEXT NOT NULL,
                severity TEXT,                              -- of servers that tell it
                alerts TEXT NOT NULL,                       -- what fires, as JSON: [[about, alert], ...]
                revision INTEGER NOT NULL,
                read_revision INTEGER NOT NULL DEFAULT 0)   -- of the last reading anew: what led there is not told again
            """, """
            CREATE TABLE IF NOT EXISTS told (
                number INTEGER PRIMARY KEY, sequence INTEGER NOT NULL, job TEXT NOT NULL, what TEXT NOT NULL)
            """, """
            CREATE TABLE IF NOT EXISTS position (
                one INTEGER PRIMARY KEY CHECK (one = 1), store TEXT NOT NULL, sequence INTEGER NOT NULL, at TEXT)
            """);

    private static final String KEEP = """
            INSERT INTO jobs (id, state, platform_state, confidence, since, severity, alerts, revision)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (id) DO UPDATE SET state = excluded.state, platform_state = excluded.platform_state,
                confidence = excluded.confidence, since = excluded.since, severity = excluded.severity,
                alerts = excluded.alerts, revision = excluded.revision
            WHERE excluded.revision >= jobs.revision
            """;

    private static final ObjectMapper JSON = new ObjectMapper();

    private final Connection db;

    /** What is told of a job. */
    private record News(String job, String what) {}

    /** An alert, and what it is about: a job, or a whole cluster or policy, of whose jobs one is named. */
    private record Firing(String about, String alert) {}

    /** The state of each job; and what fires, with a job that has it. */
    private record Shown(Map<String, String> states, Map<Firing, String> firing) {}

    private interface Work {
        void run() throws Exception;
    }

    Database(Path path) throws SQLException {
        SQLiteConfig config = new SQLiteConfig();
        config.setJournalMode(SQLiteConfig.JournalMode.WAL);
        config.setSynchronous(SQLiteConfig.SynchronousMode.FULL); // what is committed survives a loss of power, too
        config.setTransactionMode(SQLiteConfig.TransactionMode.IMMEDIATE);
        config.setBusyTimeout(30_000);
        db = DriverManager.getConnection("jdbc:sqlite:" + path, config.toProperties());
        for (String table : SCHEMA) {
            run(table);
        }
    }

    @Override
    public void close() throws SQLException {
        db.close();
    }

    Position position() throws SQLException {
        try (Statement statement = db.createStatement();
                ResultSet row = statement.executeQuery("SELECT store, sequence, at FROM position")) {
            return row.next() ? new Position(row.getString(1), row.getLong(2), row.getString(3)) : null;
        }
    }

    /**
     * Takes in one event. One that was taken in before changes nothing.
     *
     * @param record its job as it is by now; null if it is no longer on record
     */
    void take(Event event, JsonNode record) throws Exception {
        transaction(() -> {
            Position position = position();
            if (position == null || event.sequence() <= position.sequence()) {
                return;
            }
            String what = event.description(record);
            if (what != null && event.revision() > readRevision(event.job())) {
                tell(event.sequence(), new News(event.job(), what));
            }
            if (event.name().equals("forgotten")) {
                run("DELETE FROM jobs WHERE id = ?", event.job());
            } else if (record != null) {
                keep(record);
            }
            move(event.position());
        });
    }

    /** Takes all jobs as they are, where events are missing, and tells users of what differs from before. */
    void readAnew(Position position, List<JsonNode> records) throws Exception {
        transaction(() -> {
            boolean isFirst = position() == null; // then there is nothing that could differ
            Shown before = shown();
            run("DELETE FROM jobs");
            for (JsonNode record : records) {
                keep(record);
            }
            run("UPDATE jobs SET read_revision = revision");
            if (!isFirst) {
                tellOfDifferences(position.sequence(), before, shown());
            }
            move(position);
        });
    }

    private void tellOfDifferences(long sequence, Shown before, Shown now) throws SQLException {
        for (Map.Entry<String, String> job : now.states().entrySet()) {
            if (!job.getValue().equals(before.states().get(job.getKey()))) {
                tell(sequence, new News(job.getKey(), "now " + job.getValue() + ", read anew"));
            }
        }
        for (String job : before.states().keySet()) {
            if (!now.states().containsKey(job)) {
                tell(sequence, new News(job, "no longer on record, read anew"));
            }
        }
        for (Firing alert : now.firing().keySet()) {
            if (!before.firing().containsKey(alert)) {
                tell(sequence, new News(now.firing().get(alert), alert.alert() + " firing, read anew"));
            }
        }
        for (Firing alert : before.firing().keySet()) {
            if (!now.firing().containsKey(alert)) {
                tell(sequence, new News(before.firing().get(alert), alert.alert() + " resolved, read anew"));
            }
        }
    }

    private Shown shown() throws SQLException, IOException {
        Shown shown = new Shown(new LinkedHashMap<>(), new LinkedHashMap<>());
        try (Statement statement = db.createStatement();
                ResultSet row = statement.executeQuery("SELECT id, state, alerts FROM jobs ORDER BY id")) {
            while (row.next()) {
                shown.states().put(row.getString(1), row.getString(2));
                for (JsonNode alert : JSON.readTree(row.getString(3))) {
                    Firing firing = new Firing(alert.required(0).asText(), alert.required(1).asText());
                    shown.firing().putIfAbsent(firing, row.getString(1));
                }
            }
        }
        return shown;
    }

    private long readRevision(String job) throws SQLException {
        try (PreparedStatement query = db.prepareStatement("SELECT read_revision FROM jobs WHERE id = ?")) {
            query.setString(1, job);
            try (ResultSet row = query.executeQuery()) {
                return row.next() ? row.getLong(1) : 0;
            }
        }
    }

    private void keep(JsonNode record) throws SQLException {
        String id = record.required("id").asText();
        String state = record.required("state").asText();
        ArrayNode alerts = JSON.createArrayNode();
        for (JsonNode alert : record.required("alerts")) {
            // One that a whole cluster, or policy, shares is one alert, whichever of its jobs has it.
            String about = record.path(alert.required("scope").asText()).asText(id);
            alerts.addArray().add(about).add(alert.required("alert").asText());
        }
        run(KEEP, id, state, States.of(state).name(), record.required("confidence").asText(),
                record.required("since").asText(), record.path("severity").asText(null), alerts.toString(),
                record.required("revision").asLong());
    }

    private void tell(long sequence, News news) throws SQLException {
        run("INSERT INTO told (sequence, job, what) VALUES (?, ?, ?)", sequence, news.job(), news.what());
    }

    private void move(Position to) throws SQLException {
        run("INSERT OR REPLACE INTO position VALUES (1, ?, ?, ?)", to.store(), to.sequence(), to.at());
    }

    private void run(String sql, Object... values) throws SQLException {
        try (PreparedStatement statement = db.prepareStatement(sql)) {
            for (int index = 0; index < values.length; index++) {
                statement.setObject(index + 1, values[index]);
            }
            statement.executeUpdate();
        }
    }

    private void transaction(Work work) throws Exception {
        db.setAutoCommit(false);
        try {
            work.run();
            db.commit();
        } catch (Exception error) {
            db.rollback();
            throw error;
        } finally {
            db.setAutoCommit(true);
        }
    }
}
