"""Whether what users were told is what the journal has: each thing once, in order, and nothing missing."""

from checking.engine import Engine, Json
from checking.followers import Follower, Told
from checking.waiting import until

ANEW = ", read anew"


class WrongError(Exception):
    """A follower told something else than the engine has on record."""


def is_silenced(entry: tuple[str, Json]) -> bool:
    """Whether nobody is told of what began or ended, as a silence stands."""
    name, data = entry
    return name == "alert" and bool(data["body"].get("silenced"))


def described(name: str, data: Json) -> str | None:
    """What is to be told of an event. Written here once more, from the documentation of the stream."""
    body = data.get("body") or {}
    if name == "transition":
        return f"{body['from']} -> {body['to']} ({body['confidence']}): {body['reason']['message']}"
    if name == "alert":
        return None if is_silenced((name, data)) else f"{body['alert']} {body['status']}: {body['message']}"
    return {"forgotten": "forgotten", "unreadable": "an event of it cannot be read; now "}.get(name)


def tells_the_journal(follower: Follower, behind: int, journal: list[tuple[str, Json]]) -> int:
    """Compares the lines behind one with these events, and gives how many there are. There may be more by now."""
    last = journal[-1][1]["sequence"]
    until(lambda: follower.position()[1] >= last, f"{follower.name} comes to {last}")
    told = [line for line in follower.told(behind) if line.sequence <= last]
    expected = [(data["sequence"], data["job"], what) for name, data in journal if (what := described(name, data))]
    for index, (sequence, job, what) in enumerate(expected):
        if index == len(told):
            raise WrongError(f"{follower.name} has not told of {sequence}: {job} {what}")
        got = told[index]
        is_the_same = got.what == what or (what.startswith("an event") and got.what.startswith(what))
        if (got.sequence, got.job) != (sequence, job) or not is_the_same:
            raise WrongError(f"{follower.name} told {got} where the journal has {sequence}: {job} {what}")
    if len(told) > len(expected):
        raise WrongError(f"{follower.name} told more than there is: {told[len(expected)]}")
    return len(expected)


def histories_agree(engine: Engine, journal: list[tuple[str, Json]]) -> None:
    """The stream and the histories of the jobs are two ways to one journal. A history begins anew with its job."""
    for job in engine.pages("/api/v1/jobs"):
        history = [t["sequence"] for t in engine.pages(f"/api/v1/jobs/{job['id']}/transitions")]
        of_job = [(name, data["sequence"]) for name, data in journal if data["job"] == job["id"]]
        ends = [sequence for name, sequence in of_job if name == "forgotten"]
        first = ends[-1] if ends else journal[0][1]["sequence"]
        streamed = [sequence for name, sequence in of_job if name == "transition" and sequence >= first]
        if sorted(s for s in history if s >= first) != streamed:
            raise WrongError(f"the stream and the history of {job['id']} differ: {streamed}, {history}")


def chains(follower: Follower, told: list[Told]) -> None:
    """Each thing that is told begins where the one before it ended, over reading anew as well."""
    states: dict[str, str] = {}
    firing: dict[tuple[str, str], bool] = {}
    for line in told:
        words = line.what.removesuffix(ANEW).split(" ")
        if line.what in ("forgotten", "no longer on record" + ANEW):
            states[line.job] = "UNKNOWN"
        elif line.what.startswith("an event"):
            states.pop(line.job, None)  # one was missed, and anything may come after it
            firing = {key: fires for key, fires in firing.items() if key[0] != line.job}
        elif words[0] == "now":
            if states.get(line.job) == words[1]:
                raise WrongError(f"{follower.name} told it twice: {line}")
            states[line.job] = words[1]
        elif words[1] == "->":
            if states.get(line.job, words[0]) != words[0]:
                raise WrongError(f"{follower.name}: something is missing before {line}: {states[line.job]} came last")
            states[line.job] = words[2]
        else:
            key, fires = (line.job, words[0]), words[1].rstrip(":") == "firing"
            if firing.get(key) is fires:
                raise WrongError(f"{follower.name} told it twice: {line}")
            firing[key] = fires


def shown(engine: Engine) -> list[tuple[object, ...]]:
    """What `jobs` is to hold, but for the platform's own words."""
    jobs = engine.pages("/api/v1/jobs")
    rows = [(j["id"], j["state"], j["confidence"], j["since"], j.get("severity")) for j in jobs]
    return sorted(rows, key=lambda row: str(row[0]))
