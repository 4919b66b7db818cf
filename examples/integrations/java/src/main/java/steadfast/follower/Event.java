package steadfast.follower;

import com.fasterxml.jackson.databind.JsonNode;

/** An event of the stream: its name and its data. */
record Event(String name, JsonNode data) {
    String job() {
        return data.required("job").asText();
    }

    long sequence() {
        return data.required("sequence").asLong();
    }

    /** Of `unreadable` it is not known. Then it counts as the newest, so that it is told. */
    long revision() {
        return data.path("revision").asLong(Long.MAX_VALUE);
    }

    Position position() {
        // That of `unreadable` is when it was sent, and no entry's.
        String at = name.equals("unreadable") ? null : data.path("at").asText(null);
        return new Position(data.required("store").asText(), sequence(), at);
    }

    /**
     * What users are told of it; null: nothing, as what changed is only shown.
     *
     * @param record the job as it is by now; null if it is no longer on record
     */
    String description(JsonNode record) {
        JsonNode body = data.path("body");
        return switch (name) {
            case "transition" -> "%s -> %s (%s): %s".formatted(
                    body.required("from").asText(),
                    body.required("to").asText(),
                    body.required("confidence").asText(),
                    body.required("reason").required("message").asText());
            // A silence: what begins under it is told when it ends, and what nobody was told of ends untold.
            case "alert" -> body.path("silenced").asBoolean()
                    ? null
                    : "%s %s: %s".formatted(
                            body.required("alert").asText(),
                            body.required("status").asText(),
                            body.required("message").asText());
            case "forgotten" -> "forgotten";
            case "unreadable" -> "an event of it cannot be read; now "
                    + (record == null ? "no longer on record" : record.required("state").asText());
            default -> null; // an `update`
        };
    }
}
