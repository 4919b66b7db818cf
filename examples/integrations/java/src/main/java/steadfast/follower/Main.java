package steadfast.follower;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ThreadLocalRandom;

/** Follows Steadfast without end: `java -jar follower.jar --server http://127.0.0.1:8080 --database platform.db`. */
public final class Main {
    private static final long FIRST_PAUSE = 500; // milliseconds
    private static final long LONGEST_PAUSE = 30_000;
    private static final Set<String> ABOUT_A_JOB = Set.of("transition", "alert", "update", "forgotten", "unreadable");

    private final Server server;
    private final Database database;
    private int failures;

    private Main(Server server, Database database) {
        this.server = server;
        this.database = database;
    }

    /** Ends by being killed, which it may be at any moment. */
    public static void main(String[] arguments) throws Exception {
        Map<String, String> flags = flags(arguments);
        String token = flags.get("--token-file");
        try (Database database = new Database(Path.of(flags.get("--database")))) {
            new Main(new Server(flags.get("--server"), token == null ? null : Path.of(token)), database).follow();
        }
    }

    private void follow() throws InterruptedException {
        while (true) {
            try {
                Position position = database.position();
                server.follow(position, () -> {
                    log("following behind " + position);
                    failures = 0;
                }, this::handle);
                log("the stream has ended");
            } catch (Exception error) { // nothing ends a watch; what is wrong is said with every try
                log(error.toString());
            }
            long pause = Math.min(LONGEST_PAUSE, FIRST_PAUSE << Math.min(failures, 10));
            failures++;
            Thread.sleep(ThreadLocalRandom.current().nextLong(pause / 2, pause));
        }
    }

    private void handle(Event event) throws Exception {
        JsonNode data = event.data();
        if (event.name().equals("reset")) {
            log("what was had is not of this store, or is no longer kept: all jobs are read anew");
            Position newest = new Position(data.required("store").asText(), data.required("newest").asLong(), null);
            database.readAnew(newest, server.jobs());
        } else if (ABOUT_A_JOB.contains(event.name())) { // what a later Steadfast may bring beside these is passed over
            // Asked for before the transaction begins: nothing is locked while the network takes its time.
            JsonNode record = data.has("record") ? data.get("record") : server.job(event.job());
            database.take(event, record == null || record.isNull() ? null : record);
        }
    }

    private static void log(String text) {
        System.err.println(Instant.now() + " " + text);
    }

    private static Map<String, String> flags(String[] arguments) {
        Map<String, String> flags = new TreeMap<>(Map.of("--database", "platform.db"));
        flags.put("--server", System.getenv().getOrDefault("STEADFAST_SERVER", "http://127.0.0.1:8080"));
        flags.put("--token-file", System.getenv("STEADFAST_TOKEN_FILE"));
        for (int index = 0; index < arguments.length; index += 2) {
            if (!flags.containsKey(arguments[index]) || index + 1 == arguments.length) {
                System.err.println("usage: follower [--server URL] [--token-file FILE] [--database FILE]");
                System.exit(2);
            }
            flags.put(arguments[index], arguments[index + 1]);
        }
        return flags;
    }
}
