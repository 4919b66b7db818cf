package steadfast.follower;

import java.util.Map;

/** Steadfast's states in the platform's words: here StreamPark's `FlinkAppStateEnum`, name and code. */
final class States {
    private static final Word OTHER = new Word("OTHER", 15);

    private static final Map<String, Word> STATES = Map.ofEntries(
            Map.entry("UNKNOWN", OTHER), // not LOST, which ends an application: nobody has seen this job yet
            Map.entry("INITIALIZING", new Word("INITIALIZING", 1)),
            Map.entry("CREATED", new Word("CREATED", 2)),
            Map.entry("STARTING", new Word("STARTING", 3)),
            Map.entry("RESTARTING", new Word("RESTARTING", 4)),
            Map.entry("RUNNING", new Word("RUNNING", 5)),
            // A job runs while a savepoint is taken; StreamPark has an option state for it.
            Map.entry("SAVEPOINTING", new Word("RUNNING", 5)),
            Map.entry("FAILING", new Word("FAILING", 6)),
            Map.entry("FAILED", new Word("FAILED", 7)),
            Map.entry("CANCELLING", new Word("CANCELLING", 8)),
            Map.entry("CANCELED", new Word("CANCELED", 9)),
            Map.entry("FINISHED", new Word("FINISHED", 10)),
            Map.entry("SUSPENDED", new Word("SUSPENDED", 11)),
            Map.entry("RECONCILING", new Word("RECONCILING", 12)),
            Map.entry("LOST", new Word("LOST", 13)),
            Map.entry("TERMINATED", new Word("TERMINATED", 18)));

    record Word(String name, int code) {}

    private States() {}

    /** A state that a later Steadfast may bring is OTHER, and no reason to stop following. */
    static Word of(String state) {
        return STATES.getOrDefault(state, OTHER);
    }
}
