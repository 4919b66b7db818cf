package steadfast.follower;

/**
 * The last event that was handled. A number alone does not show that a store is another one.
 *
 * @param at the event's own time; null where it has none, as after a reset
 */
record Position(String store, long sequence, String at) {}
