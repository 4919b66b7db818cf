package steadfast.follower;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import okhttp3.HttpUrl;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;
import okhttp3.sse.EventSource;
import okhttp3.sse.EventSourceListener;
import okhttp3.sse.EventSources;

/** What is asked of Steadfast: its event stream, all jobs, one job. */
final class Server {
    /** The stream says every 15 s that it lives; one that is silent for three times as long does not. */
    private static final Duration SILENCE = Duration.ofSeconds(45);

    /** How much of a refusal is read, in bytes. */
    private static final long PROBLEM_LIMIT = 1 << 16;

    private static final ObjectMapper JSON = new ObjectMapper();

    private final HttpUrl address;
    private final Path tokenFile;
    private final OkHttpClient http = new OkHttpClient.Builder().readTimeout(SILENCE).build();

    /** What is done with an event; what it throws ends the stream. */
    interface Handler {
        void handle(Event event) throws Exception;
    }

    Server(String address, Path tokenFile) {
        this.address = HttpUrl.get(address);
        this.tokenFile = tokenFile;
    }

    /**
     * Hands over what comes behind a position, until the stream ends. Who has none (null) has one of no store, and is sent
     * `reset` at once.
     */
    void follow(Position position, Runnable opened, Handler handler) throws Exception {
        HttpUrl.Builder where = url("api/v1/events");
        if (position == null) {
            where.addQueryParameter("store", "none");
        } else {
            where.addQueryParameter("store", position.store());
            where.addQueryParameter("after", Long.toString(position.sequence()));
            if (position.at() != null) {
                where.addQueryParameter("at", position.at());
            }
        }
        HttpUrl plain = where.build();
        // `job=true`: each event brings its job's record. Servers that do not know it yet answer 400.
        try (Response response = get(where.addQueryParameter("job", "true").build())) {
            if (response.code() != 400) {
                read(response, opened, handler);
                return;
            }
        }
        try (Response response = get(plain)) {
            read(response, opened, handler);
        }
    }

    /** All jobs on record, page by page. */
    List<JsonNode> jobs() throws IOException {
        List<JsonNode> jobs = new ArrayList<>();
        String cursor = null;
        do {
            HttpUrl.Builder page = url("api/v1/jobs");
            if (cursor != null) {
                page.addQueryParameter("cursor", cursor);
            }
            try (Response response = get(page.build())) {
                JsonNode answer = JSON.readTree(succeeded(response).body().byteStream());
                answer.required("items").forEach(jobs::add);
                cursor = answer.path("cursor").asText(null);
            }
        } while (cursor != null);
        return jobs;
    }

    /** One job as it is now; null if it is no longer on record. */
    JsonNode job(String job) throws IOException {
        try (Response response = get(url("api/v1/jobs").addPathSegments(job).build())) {
            return record(response);
        }
    }

    /** The job of an answer; null only where Steadfast says that there is none: a proxy's 404 says nothing of a job. */
    static JsonNode record(Response response) throws IOException {
        if (response.code() == 404 && response.header("Content-Type", "").startsWith("application/problem+json")) {
            JsonNode problem = JSON.readTree(response.peekBody(PROBLEM_LIMIT).byteStream());
            if (problem.path("code").asText().equals("no-such-job")) { // not so while its cluster cannot be read
                return null;
            }
        }
        return JSON.readTree(succeeded(response).body().byteStream());
    }

    /** Reads a stream to its end, on this thread. */
    static void read(Response response, Runnable opened, Handler handler) throws Exception {
        if (succeeded(response).header("Steadfast-Store") == null) { // such as a gateway's login page
            throw new IOException("this is not Steadfast's event stream: the header Steadfast-Store is missing");
        }
        Listener listener = new Listener(opened, handler);
        EventSources.processResponse(response, listener);
        if (listener.failure != null) {
            throw listener.failure;
        }
    }

    private static Response succeeded(Response response) throws IOException {
        if (!response.isSuccessful()) {
            throw new IOException("refused with %d: %s".formatted(
                    response.code(), response.peekBody(300).string()));
        }
        return response;
    }

    private HttpUrl.Builder url(String path) {
        return address.newBuilder().addPathSegments(path);
    }

    private Response get(HttpUrl url) throws IOException {
        Request.Builder request = new Request.Builder().url(url);
        if (tokenFile != null) { // read each time: tokens are changed in their file
            request.header("Authorization", "Bearer " + Files.readString(tokenFile).strip());
        }
        return http.newCall(request.build()).execute();
    }

    /** okhttp tells of everything by callbacks, on the thread that reads. */
    private static final class Listener extends EventSourceListener {
        private final Runnable opened;
        private final Handler handler;
        private Exception failure;

        Listener(Runnable opened, Handler handler) {
            this.opened = opened;
            this.handler = handler;
        }

        @Override
        public void onOpen(EventSource source, Response response) {
            opened.run();
        }

        @Override
        public void onEvent(EventSource source, String id, String name, String data) {
            if (failure != null) {
                return; // nothing is handled out of order
            }
            try {
                handler.handle(new Event(name, JSON.readTree(data)));
            } catch (Exception error) {
                failure = error;
                source.cancel();
            }
        }

        @Override
        public void onFailure(EventSource source, Throwable error, Response response) {
            if (failure == null) {
                failure = error instanceof Exception known ? known : new IOException(error);
            }
        }
    }
}
