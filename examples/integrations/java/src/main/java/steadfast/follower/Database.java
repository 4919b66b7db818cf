package steadfast.follower;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.sqlite.SQLiteConfig;

/**
 * The platform's database. `jobs`, `firing`, `told` and `position` change in one transaction, so that a kill at any moment leaves
 * them agreeing.
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
                revision INTEGER NOT NULL,
                read_revision INTEGER NOT NULL DEFAULT 0)   -- of the last reading anew: what led there is not told again
            """, """
            CREATE TABLE IF NOT EXISTS firing (             -- alerts whose beginning users were told, and whose end they were not
                about TEXT NOT NULL,                        -- a job by its id, or a cluster or policy, whose jobs share it
                alert TEXT NOT NULL,
                job TEXT NOT NULL,                          -- the one it was told with
                PRIMARY KEY (about, alert))
            """, """
            CREATE TABLE IF NOT EXISTS told (
                number INTEGER PRIMARY KEY, sequence INTEGER NOT NULL, job TEXT NOT NULL, what TEXT NOT NULL)
            """, """
            CREATE TABLE IF NOT EXISTS position (
                one INTEGER PRIMARY KEY CHECK (one = 1), store TEXT NOT NULL, sequence INTEGER NOT NULL, at TEXT)
            """);

    /** Of the tables, in the file's own `user_version`; raise it when you change them. */
    private static final int VERSION = 2;

    private static final String KEEP = """
            INSERT INTO jobs (id, state, platform_state, confidence, since, severity, revision)
            VALUES (?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (id) DO UPDATE SET state = excluded.state, platform_state = excluded.platform_state,
                confidence = excluded.confidence, since = excluded.since, severity = excluded.severity,
                revision = excluded.revision
            WHERE excluded.revision >= jobs.revision
            """;

    private static final List<String> SCOPES = List.of("job", "cluster", "policy");

    private final Connection db;

    /** What is told of a job. */
    private record News(String job, String what) {}

    /** An alert, and what it is about: one that a whole cluster, or policy, shares is one, whichever of its jobs has it. */
    private record Alert(String about, String name) {
        /** @param record the job's; null if it is no longer on record */
        static Alert of(String job, String scope, JsonNode record, String name) {
            if (scope.equals("cluster")) {
                return new Alert(job.split("/")[0], name);
            }
            return new Alert(record == null ? job : record.path(scope).asText(job), name);
        }
    }

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
        long version = number("PRAGMA user_version");
        if (number("SELECT count(*) FROM sqlite_schema") > 0 && version != VERSION) {
            throw new SQLException("%s has tables of version %d, not %d: move it away, and all jobs are read anew"
                    .formatted(path, version, VERSION));
        }
        run("PRAGMA user_version = " + VERSION); // first: a kill in between leaves tables of that version
        for (String table : SCHEMA) {
            run(table);
        }
    }

    private long number(String query) throws SQLException {
        try (Statement statement = db.createStatement();
                ResultSet row = statement.executeQuery(query)) {
            return row.getLong(1);
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
                noteAlert(event, record);
            }
            if (event.name().equals("forgotten")) {
                run("DELETE FROM jobs WHERE id = ?", event.job());
                run("DELETE FROM firing WHERE about = ?", event.job());
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
            Map<String, String> before = states();
            run("DELETE FROM jobs");
            for (JsonNode record : records) {
                keep(record);
            }
            run("UPDATE jobs SET read_revision = revision");
            List<News> news = new ArrayList<>(statesAnew(before, states()));
            news.addAll(alertsAnew(records));
            for (News item : isFirst ? List.<News>of() : news) {
                tell(position.sequence(), item);
            }
            move(position);
        });
    }

    private static List<News> statesAnew(Map<String, String> before, Map<String, String> now) {
        List<News> news = new ArrayList<>();
        now.forEach((job, state) -> {
            if (!state.equals(before.get(job))) {
                news.add(new News(job, "now " + state + ", read anew"));
            }
        });
        for (String job : before.keySet()) {
            if (!now.containsKey(job)) {
                news.add(new News(job, "no longer on record, read anew"));
            }
        }
        return news;
    }

    /** Compares what stands with what users were told, and gives what they are to be told. */
    private List<News> alertsAnew(List<JsonNode> records) throws SQLException {
        Map<Alert, String> stands = new LinkedHashMap<>();
        Set<Alert> silenced = new HashSet<>();
        Comparator<JsonNode> byId = Comparator.comparing(record -> record.required("id").asText());
        for (JsonNode record : records.stream().sorted(byId).toList()) {
            String job = record.required("id").asText();
            for (JsonNode alert : record.required("alerts")) {
                String scope = alert.required("scope").asText();
                stands.putIfAbsent(Alert.of(job, scope, record, alert.required("alert").asText()), job);
            }
            for (JsonNode silence : record.path("silences")) { // one job's is enough for what many share
                for (String scope : SCOPES) {
                    silenced.add(Alert.of(job, scope, record, silence.required("alert").asText()));
                }
            }
        }
        Map<Alert, String> told = firing();
        List<News> news = new ArrayList<>();
        for (Alert alert : stands.keySet()) {
            // Of what is silenced users are told when the silence ends; of what they were told before it, nothing is new.
            if (!told.containsKey(alert) && !silenced.contains(alert)) {
                run("INSERT INTO firing VALUES (?, ?, ?)", alert.about(), alert.name(), stands.get(alert));
                news.add(new News(stands.get(alert), alert.name() + " firing, read anew"));
            }
        }
        for (Alert alert : told.keySet()) {
            if (!stands.containsKey(alert)) {
                run("DELETE FROM firing WHERE about = ? AND alert = ?", alert.about(), alert.name());
                news.add(new News(told.get(alert), alert.name() + " resolved, read anew"));
            }
        }
        return news;
    }

    private Map<String, String> states() throws SQLException {
        Map<String, String> states = new LinkedHashMap<>();
        try (Statement statement = db.createStatement();
                ResultSet row = statement.executeQuery("SELECT id, state FROM jobs ORDER BY id")) {
            while (row.next()) {
                states.put(row.getString(1), row.getString(2));
            }
        }
        return states;
    }

    private Map<Alert, String> firing() throws SQLException {
        Map<Alert, String> firing = new LinkedHashMap<>();
        try (Statement statement = db.createStatement();
                ResultSet row = statement.executeQuery("SELECT about, alert, job FROM firing")) {
            while (row.next()) {
                firing.put(new Alert(row.getString(1), row.getString(2)), row.getString(3));
            }
        }
        return firing;
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
        run(KEEP, id, state, States.of(state).name(), record.required("confidence").asText(),
                record.required("since").asText(), record.path("severity").asText(null),
                record.required("revision").asLong());
    }

    /** Notes what a told event says of an alert. */
    private void noteAlert(Event event, JsonNode record) throws SQLException {
        if (!event.name().equals("alert")) {
            return;
        }
        JsonNode body = event.data().required("body");
        Alert alert = Alert.of(event.job(), body.required("scope").asText(), record, body.required("alert").asText());
        if (body.required("status").asText().equals("firing")) {
            run("INSERT OR REPLACE INTO firing VALUES (?, ?, ?)", alert.about(), alert.name(), event.job());
        } else {
            run("DELETE FROM firing WHERE about = ? AND alert = ?", alert.about(), alert.name());
        }
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
