// The dashboard: reads the public API and nothing else. All text goes in as text, never as markup.
"use strict";

const SHOWN_AT_ONCE = 1500;
const PAGE = 2000;
// Beyond as many changed jobs, one list is cheaper than asking for each.
const ASKED_SINGLY = 10;
const TOKEN = "steadfast-token";
// How long an answer may take, in milliseconds.
const ANSWER = 20000;

const MOVING = ["CREATED", "INITIALIZING", "STARTING", "RESTARTING", "RECONCILING", "CANCELLING", "FAILING", "SAVEPOINTING"];
const BAD = ["FAILED", "LOST", "TERMINATED"];
const GROUPS = [
  ["all", "All", () => true],
  ["running", "Running", (job) => job.state === "RUNNING"],
  ["moving", "In between", (job) => MOVING.includes(job.state)],
  ["bad", "Failed or lost", (job) => BAD.includes(job.state)],
  ["ended", "Ended", (job) => ["FINISHED", "CANCELED", "SUSPENDED"].includes(job.state)],
  ["unsure", "Not confirmed", (job) => job.confidence !== "confirmed"],
  ["conditions", "With conditions", (job) => job.conditions.length > 0],
];

const jobs = new Map(); // id -> job
const rows = new Map(); // id -> row
let group = "all";
let words = [];
let sort = { by: "id", down: false };
let limit = SHOWN_AT_ONCE;
let selected = null;

const byId = (id) => document.getElementById(id);

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

// ---- Asking the engine

class Refused extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

async function ask(path, options = {}) {
  const headers = { ...options.headers };
  const token = sessionStorage.getItem(TOKEN);
  if (token) headers.authorization = `Bearer ${token}`;
  const response = await fetch(path, { ...options, headers, cache: "no-store" });
  heard = Date.now();
  if (response.status === 401) showGate(token !== null);
  if (!response.ok) {
    const problem = await response.json().catch(() => ({}));
    throw new Refused(response.status, problem.detail || `the engine answered ${response.status}`);
  }
  return response;
}

const askJson = async (path) => (await ask(path, { signal: AbortSignal.timeout(ANSWER) })).json();
const pathOf = (id) => `/api/v1/jobs/${id.split("/").map(encodeURIComponent).join("/")}`;

function showGate(wasWrong) {
  sessionStorage.removeItem(TOKEN);
  byId("gate").hidden = false;
  byId("main").hidden = true;
  byId("gate-error").textContent = wasWrong ? "The engine does not know this token." : "";
  byId("token").focus();
}

// ---- The list and the stream

let loading = null;

// Reads all pages; a call that comes meanwhile waits for the same answer.
function loadAll() {
  loading ??= readPages().finally(() => { loading = null; });
  return loading;
}

async function readPages() {
  const seen = new Set();
  let cursor = "";
  do {
    const page = await askJson(`/api/v1/jobs?limit=${PAGE}&cursor=${encodeURIComponent(cursor)}`);
    for (const job of page.items) {
      jobs.set(job.id, job);
      seen.add(job.id);
    }
    cursor = page.cursor;
  } while (cursor);
  for (const id of [...jobs.keys()]) {
    if (!seen.has(id)) jobs.delete(id);
  }
  await loadClusters();
  draw();
  await loadShadows();
}

async function loadOne(id) {
  try {
    jobs.set(id, await askJson(pathOf(id)));
  } catch (error) {
    if (!(error instanceof Refused) || error.status !== 404) throw error;
    jobs.delete(id);
  }
}

const changed = new Set();
let flushing = false;

// What has changed is asked for a few times a second at most, however many events come.
async function flush() {
  if (flushing) return;
  flushing = true;
  try {
    await pause(250);
    while (changed.size > 0) {
      const ids = [...changed];
      changed.clear();
      if (ids.length > ASKED_SINGLY) await loadAll();
      else await Promise.all(ids.map(loadOne));
      draw();
      if (ids.includes(selected)) showDetail();
      await pause(500);
    }
  } catch {
    changed.clear(); // the stream is broken too; it begins with the whole list
  } finally {
    flushing = false;
  }
}

const pause = (millis) => new Promise((done) => setTimeout(done, millis));

function showLink(state, text) {
  byId("link").dataset.link = state;
  byId("link").textContent = text;
  showStale();
}

// The stream itself may last for ever; its beginning may not.
async function openStream(path) {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), ANSWER);
  try {
    return await ask(path, { signal: late.signal });
  } finally {
    clearTimeout(timer);
  }
}

// Follows the events for ever; every connection takes up where the last one ended, or is told that the engine has
// another history now. EventSource cannot send a token.
async function follow() {
  let last = null; // position, store and time of the last event
  for (let failures = 0; ; ) {
    try {
      const response = await openStream(last ? `/api/v1/events?${new URLSearchParams(last)}` : "/api/v1/events");
      // After the stream was opened, so that nothing falls in between.
      await loadAll();
      failures = 0;
      showLink("live", "live");
      for await (const event of eventsOf(response.body)) {
        if (event.name === "reset") {
          last = null;
          await loadAll();
        } else if (event.data) {
          const { job, sequence, store, at } = JSON.parse(event.data);
          // An event that does not read has no time.
          last = at ? { after: sequence, store, at } : { after: sequence, store };
          changed.add(job);
          flush();
        }
      }
    } catch (error) {
      if (error instanceof Refused && error.status === 401) return;
    }
    failures += 1;
    showLink("lost", failures > 1 ? "engine not reachable" : "reconnecting");
    await pause(Math.min(10000, 500 * 2 ** failures));
  }
}

async function* eventsOf(stream) {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for (;;) {
      // Heartbeats come every 15 s: a longer silence is a dead connection.
      const read = await Promise.race([reader.read(), pause(40000).then(() => ({ done: true }))]);
      if (read.done) return;
      heard = Date.now();
      const blocks = (rest + decoder.decode(read.value, { stream: true })).split("\n\n");
      rest = blocks.pop();
      for (const block of blocks) {
        const event = { name: "message", data: "" };
        for (const line of block.split("\n")) {
          const at = line.indexOf(":");
          const [field, value] = [line.slice(0, at), line.slice(at + 1).trimStart()];
          if (field === "event") event.name = value;
          if (field === "data") event.data += value;
        }
        yield event;
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

// ---- Times

function span(millis) {
  const seconds = Math.max(0, Math.round(millis / 1000));
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m ${seconds % 60}s`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)}h ${Math.floor((seconds % 3600) / 60)}m`;
  return `${Math.floor(seconds / 86400)}d ${Math.floor((seconds % 86400) / 3600)}h`;
}

const ago = (time) => (time ? `${span(Date.now() - Date.parse(time))} ago` : "never");

function until(job) {
  if (job.watch.attention === "sleeping") return "asleep";
  if (!job.watch.nextPollAt) return "–";
  const left = Date.parse(job.watch.nextPollAt) - Date.now();
  return left > 0 ? `in ${span(left)}` : "now";
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// ---- Drawing

function tone(state) {
  if (BAD.includes(state)) return "bad";
  if (MOVING.includes(state)) return "moving";
  return state === "RUNNING" ? "good" : "calm";
}

function stateLabel(state, confidence) {
  return make("span", { class: "state", "data-tone": tone(state), "data-confidence": confidence }, state);
}

function matches(job) {
  if (words.length === 0) return true;
  const conditions = job.conditions.map((condition) => condition.type).join(" ");
  const text = `${job.id} ${job.state} ${job.confidence} ${job.flinkJobId} ${job.reason.code} ${job.reason.message} ${conditions}`.toLowerCase();
  return words.every((word) => text.includes(word));
}

function draw() {
  const found = [...jobs.values()].filter(matches);
  drawGroups(found);
  const passes = GROUPS.find(([name]) => name === group)[2];
  const shown = found.filter(passes);
  shown.sort((a, b) => {
    const order = a[sort.by] < b[sort.by] ? -1 : a[sort.by] > b[sort.by] ? 1 : a.id < b.id ? -1 : 1;
    return sort.down ? -order : order;
  });
  const body = byId("rows");
  let place = body.firstElementChild;
  const kept = new Set();
  for (const job of shown.slice(0, limit)) {
    const row = rowOf(job);
    kept.add(job.id);
    if (row === place) place = place.nextElementSibling;
    else body.insertBefore(row, place);
  }
  for (const row of [...body.children]) {
    if (!kept.has(row.dataset.id)) row.remove();
  }
  for (const id of [...rows.keys()]) {
    if (!jobs.has(id)) rows.delete(id);
  }
  byId("more").hidden = shown.length <= limit;
  byId("more").textContent = `Show the other ${shown.length - limit}`;
  byId("nothing").hidden = shown.length > 0;
  byId("nothing").textContent = jobs.size === 0 ? nothingOnRecord() : "No job matches.";
}

function drawGroups(found) {
  const list = byId("groups");
  if (list.children.length === 0) {
    for (const [name, label] of GROUPS) {
      const button = make("button", { type: "button", "data-group": name }, label, make("b"));
      button.addEventListener("click", () => { group = group === name ? "all" : name; limit = SHOWN_AT_ONCE; draw(); });
      list.append(make("li", {}, button));
    }
  }
  GROUPS.forEach(([name, , passes], at) => {
    const button = list.children[at].firstElementChild;
    setText(button.lastElementChild, String(found.filter(passes).length));
    button.setAttribute("aria-pressed", String(group === name));
  });
}

function rowOf(job) {
  let row = rows.get(job.id);
  if (row && row.drawn === JSON.stringify(job)) return row;
  if (!row) {
    row = make("tr", { "data-id": job.id });
    row.addEventListener("click", (event) => { if (!event.target.closest("a")) location.hash = encodeURI(job.id); });
    rows.set(job.id, row);
  }
  row.drawn = JSON.stringify(job);
  row.job = job;
  const name = job.mode === "session" ? job.sessionJob ?? job.flinkJobId : job.name;
  const place = job.mode === "session" ? `${job.cluster}/${job.namespace}/${job.name}` : `${job.cluster}/${job.namespace}`;
  const link = make("a", { href: `#${encodeURI(job.id)}`, class: job.mode === "session" ? "mono" : null }, name);
  const conditions = job.conditions.map((condition) => make("span", { class: "condition", title: condition.message }, condition.type));
  row.times = [make("td", { class: "number", title: beginning(job) }), make("td", { class: "number", title: job.confirmedAt }), make("td", { class: "number" })];
  row.replaceChildren(
    make("td", { class: "job" }, link, make("small", {}, place)),
    make("td", {}, stateLabel(job.state, job.confidence), job.confidence === "confirmed" ? null : make("span", { class: "confidence" }, job.confidence)),
    make("td", { class: "why" }, make("span", { title: job.reason.message }, job.reason.message || job.reason.code)),
    make("td", {}, ...conditions),
    row.times[0],
    make("td", { class: "number" }, String(job.attempt)),
    row.times[1],
    row.times[2],
  );
  tick(row);
  row.setAttribute("aria-selected", String(job.id === selected));
  return row;
}

// Flink's own start or end of a state, where it tells it; Steadfast may have seen the state only later.
const isTold = (job) => job.since !== job.firstSeen;
const beginning = (job) => isTold(job) ? `${job.since} by Flink's clock, first seen ${job.firstSeen}` : job.since;

function tick(row) {
  setText(row.times[0], span(Date.now() - Date.parse(row.job.since)));
  setText(row.times[1], ago(row.job.confirmedAt));
  setText(row.times[2], until(row.job));
}

// ---- One job

let asked = 0;

async function showDetail() {
  const panel = byId("detail");
  const mine = ++asked;
  panel.hidden = selected === null;
  if (selected === null) return panel.replaceChildren();
  const id = selected;
  const answers = await Promise.allSettled([askJson(pathOf(id)), lastTransitions(id), askJson(`${pathOf(id)}/explain`)]);
  if (mine !== asked) return; // another job was chosen meanwhile
  const [job, history, explanation] = answers;
  const isOpen = panel.querySelector("details")?.open === true;
  const close = make("button", { type: "button", class: "close", "aria-label": "Close" }, "×");
  close.addEventListener("click", () => { location.hash = ""; });
  panel.replaceChildren(make("div", { class: "top" }, make("h2", {}, id.split("/").slice(2).join("/")), close));
  if (job.status === "rejected") {
    panel.append(make("p", { class: "error", role: "alert" }, job.reason.message));
    return;
  }
  panel.append(...facts(job.value));
  panel.append(make("h3", {}, "How it was judged just now"), ...(explanation.status === "fulfilled" ? judged(explanation.value, isOpen) : [make("p", { class: "error" }, explanation.reason.message)]));
  panel.append(make("h3", {}, "History, the latest first"), history.status === "fulfilled" ? historyList(history.value) : make("p", { class: "error" }, history.reason.message));
}

// The API gives the oldest first; a long history is followed to its end.
async function lastTransitions(id) {
  let items = [];
  let cursor = "";
  do {
    const page = await askJson(`${pathOf(id)}/transitions?limit=5000&cursor=${cursor}`);
    items = items.concat(page.items).slice(-200);
    cursor = page.cursor;
  } while (cursor);
  return items.reverse();
}

function facts(job) {
  const list = make("dl", { class: "facts" });
  const add = (name, ...value) => list.append(make("dt", {}, name), make("dd", {}, ...value));
  add("Where", `${job.cluster}/${job.namespace}`);
  add("Mode", job.mode);
  add("Flink job", make("span", { class: "mono" }, job.flinkJobId ?? "not known yet"));
  add("Attempt", String(job.attempt));
  add("Since", isTold(job) ? `${new Date(job.since).toLocaleString()}, by Flink's clock` : new Date(job.since).toLocaleString());
  add("First seen", new Date(job.firstSeen).toLocaleString());
  if (job.startedAt && job.startedAt !== job.since) add("Run started", `${new Date(job.startedAt).toLocaleString()}, by Flink's clock`);
  add("Confirmed", ago(job.confirmedAt));
  add("Watch", job.watch.failures > 0 ? `${job.watch.attention}, ${job.watch.failures} looks without an answer` : job.watch.attention);
  if (job.intent && job.intent.intent !== "none") add("Intent", `${job.intent.intent}, noted ${ago(job.intent.since)}; Steadfast itself does nothing to the job`);
  add("Policy", job.policy);
  if (job.otherJobsOmitted) add("Also runs", `${job.otherJobsOmitted} more jobs than are shown`);
  for (const other of job.otherJobs) add("Also runs", make("span", { class: "mono" }, other.flinkJobId), ` ${other.state}`);
  const parts = [make("p", {}, stateLabel(job.state, job.confidence), make("span", { class: "confidence" }, job.confidence)), make("p", {}, job.reason.message || job.reason.code), list];
  if (job.conditions.length > 0) {
    parts.push(make("h3", {}, "Conditions"));
    for (const condition of job.conditions) {
      parts.push(make("p", {}, make("span", { class: "condition" }, condition.type), `${condition.message} (${ago(condition.since)})`));
    }
  }
  return parts;
}

function judged(explanation, isOpen) {
  const decision = explanation.decision;
  const said = decision
    ? `Rule “${decision.rule}”: ${decision.state}, ${decision.confidence}`
    : `The policy failed (${explanation.failure.kind}): ${explanation.failure.message}. The last state stays.`;
  const rows = Object.entries(explanation.snapshot)
    .filter(([, evidence]) => evidence && evidence.latest !== undefined)
    .map(([source, evidence]) => {
      const unknown = evidence.latest.unknown;
      const answer = unknown ? `unknown: ${unknown.kind}, ${unknown.message}` : evidence.latest === "absent" ? "absent" : "present";
      const name = source.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
      return make("tr", {}, make("th", { scope: "row" }, name), make("td", {}, answer), make("td", { class: "number" }, span(evidence.ageSeconds * 1000)));
    });
  const rule = explanation.rule;
  const why = rule ? [make("dl", { class: "facts" }, ...[["Says", rule.says], ["Because", rule.because], ["Changed by", rule.changedBy]].flatMap(([name, text]) => [make("dt", {}, name), make("dd", {}, text)]))] : [];
  const now = Date.parse(explanation.snapshot.now);
  const awaited = explanation.waitsFor.map(({ look, dueAt }) => `${look} ${dueAt ? `in ${span(Date.parse(dueAt) - now)}` : "(under way)"}`);
  const waits = awaited.length > 0 ? `Waits for ${awaited.join(", ")}.` : "Not polled: it waits for something new to be seen.";
  const raw = make("details", {}, make("summary", {}, "All that was seen and decided"), make("pre", {}, JSON.stringify(explanation, null, 2)));
  raw.open = isOpen;
  return [make("p", {}, said), ...why, make("p", {}, waits), make("table", { class: "evidence" }, make("tbody", {}, ...rows)), ...shadowsOf(explanation), raw];
}

function historyList(items) {
  if (items.length === 0) return make("p", {}, "Nothing has happened yet.");
  return make("ol", { class: "history" }, ...items.map((item) => make("li", {},
    make("time", { datetime: item.at, title: item.at }, new Date(item.at).toLocaleString()),
    stateLabel(item.to, item.confidence),
    make("span", { class: "confidence" }, `attempt ${item.attempt}`),
    item.since ? make("p", {}, `By Flink's clock since ${new Date(item.since).toLocaleString()}`) : null,
    make("p", {}, item.reason.message || item.reason.code))));
}

function select() {
  let id = null;
  try {
    id = decodeURI(location.hash.slice(1)) || null;
  } catch {
    // a hash that does not decode names no job
  }
  selected = id;
  for (const row of rows.values()) row.setAttribute("aria-selected", String(row.dataset.id === selected));
  byId("detail").replaceChildren();
  showDetail();
}

// ---- Wiring

byId("search").addEventListener("input", (event) => {
  words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
  limit = SHOWN_AT_ONCE;
  draw();
});
byId("more").addEventListener("click", () => { limit = Infinity; draw(); });
byId("gate").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem(TOKEN, byId("token").value.trim());
  byId("gate").hidden = true;
  byId("main").hidden = false;
  follow();
});
for (const button of document.querySelectorAll("[data-sort]")) {
  button.addEventListener("click", () => {
    sort = { by: button.dataset.sort, down: sort.by === button.dataset.sort && !sort.down };
    for (const other of document.querySelectorAll("[data-sort]")) {
      other.closest("th").setAttribute("aria-sort", other === button ? (sort.down ? "descending" : "ascending") : "none");
    }
    draw();
  });
}
window.addEventListener("hashchange", select);
document.addEventListener("keydown", (event) => { if (event.key === "Escape" && selected !== null) location.hash = ""; });
setInterval(() => {
  showStale();
  if (isStale()) return; // ages and countdowns would pretend that somebody looks
  for (const row of byId("rows").children) tick(row);
  tickShadows();
  tickClusters();
}, 1000);
// What can be read is no event either, and matters more than a countdown.
setInterval(() => {
  if (!document.hidden && byId("link").dataset.link === "live") loadClusters().then(() => { if (jobs.size === 0) draw(); }).catch(() => {});
}, 2000);
// Polls and confirmations are not events: they are read now and then, and less often from a large fleet.
setInterval(() => {
  const due = Date.now() - refreshed > (jobs.size > 2000 ? 30000 : 5000);
  if (document.hidden || !due || byId("link").dataset.link !== "live") return;
  refreshed = Date.now();
  loadAll().catch(() => {});
}, 1000);
let refreshed = Date.now();

follow();
select();
