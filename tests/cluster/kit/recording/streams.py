"""What is recorded over time: watch streams, and the turns that a polled answer takes."""

import json
import threading
import time

from ..rest import rest


class Watch(threading.Thread):
    """Keeps the lines of one watch stream, from now until save()."""

    def __init__(self, recorder, path):
        super().__init__(daemon=True)
        self.recorder = recorder
        version = recorder.api_json(path)["metadata"]["resourceVersion"]
        sep = "&" if "?" in path else "?"
        self.answer = recorder.api(f"{path}{sep}watch=1&allowWatchBookmarks=true&resourceVersion={version}",
                                   timeout=600)
        self.events = []
        self.start()

    def run(self):
        try:
            for line in self.answer:
                self.events.append(json.loads(line))
        except (OSError, ValueError, AttributeError):
            pass

    def save(self, path):
        self.recorder.save_lines(path, self.events)


class Timeline(threading.Thread):
    """Polls `/jobs/overview`; keeps the first answer of each new kind, with its time."""

    def __init__(self, recorder, app, address):
        super().__init__(daemon=True)
        self.recorder = recorder
        self.app, self.address = app, address
        self.begin, self.entries, self.over = time.monotonic(), [], False
        self.key = None
        self.start()

    def run(self):
        while not self.over:
            status, body = rest(self.recorder.s, self.app, "/jobs/overview", address=self.address, timeout=2)
            try:
                body = json.loads(body)
            except ValueError:
                pass
            # The order of jobs changes from answer to answer.
            jobs = sorted((j["jid"], j["state"], j["start-time"]) for j in body["jobs"]) \
                if status == 200 and isinstance(body, dict) else body
            if (status, jobs) != self.key:
                self.key = (status, jobs)
                entry = {"at_s": round(time.monotonic() - self.begin, 1), "status": status}
                entry["body" if status else "error"] = body
                self.entries.append(entry)
            time.sleep(0.1)

    def stop(self, path):
        self.over = True
        self.join()
        self.recorder.save(path, self.entries)
        for e in self.entries:
            if e["status"] == 500:
                self.recorder.save(path.split("/")[0] + "/errors/500-leader-change.json", e["body"])
        print("timeline", path)
        for e in self.entries:
            print("  ", e["at_s"], e["status"], json.dumps(e.get("body", e.get("error")))[:170])
