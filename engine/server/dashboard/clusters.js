// What the page cannot show: clusters that cannot be read, and an engine that does not answer. A cluster that cannot be seen
// is not an empty cluster, and a page that is not renewed is not the present.
"use strict";

// Heartbeats come every 15 s, and lists every 5: a longer silence is an engine that does not answer.
const SILENT = 20000;

let clusters = [];
let heard = Date.now(); // when the engine last said anything
let reading = null;

// A call that comes while one waits gets the same answer.
function loadClusters() {
  reading ??= readClusters().finally(() => { reading = null; });
  return reading;
}

async function readClusters() {
  clusters = (await askJson("/api/v1/clusters")).items;
  drawClusters();
}

const lost = (cluster) => cluster.kinds.filter((kind) => kind.state === "retrying");
const isOperators = (kind) => kind.kind.startsWith("Flink");
const unread = () => clusters.filter((cluster) => cluster.neverRead || lost(cluster).length > 0);
const kindName = (kind) => `${kind.kind}s${kind.namespace ? ` in ${kind.namespace}` : ""}`;

function drawClusters() {
  const banners = unread().map((cluster) => {
    const kinds = lost(cluster);
    const since = kinds.map((kind) => kind.unknownSince).sort()[0] ?? null;
    const isWhole = cluster.kinds.filter((kind) => !isOperators(kind)).every((kind) => kind.state === "retrying");
    const names = kinds.slice(0, 4).map(kindName).join(", ") + (kinds.length > 4 ? ` and ${kinds.length - 4} more lists` : "");
    const what = kinds.length === 0 ? "was not read yet" : isWhole ? "is not readable" : `is readable but for ${names}`;
    return make("p", { class: "banner", "data-cluster": cluster.name, "data-tone": isWhole || cluster.neverRead ? "bad" : "moving" },
      make("b", {}, cluster.name), ` ${what}`, since ? make("span", { "data-since": since, title: since }) : null,
      kinds.length > 0 ? `: ${kinds[0].fault}. ` : ". ", consequence(cluster, kinds));
  });
  const place = byId("clusters");
  const drawn = banners.map((banner) => banner.outerHTML).join();
  // What has not changed stays: it is read out loud when it does.
  if (place.drawn === drawn) return;
  place.drawn = drawn;
  place.replaceChildren(...banners);
  tickClusters();
}

function consequence(cluster, kinds) {
  if (kinds.length > 0 && kinds.every(isOperators)) return "Jobs that only a FlinkDeployment names are not known.";
  const others = cluster.neverRead ? (cluster.jobs > 0 ? ", and others are not known" : "") : "";
  const confirmed = cluster.jobs - cluster.unconfirmed;
  if (confirmed > 0) return `${unseen(cluster)} not seen; Flink confirms ${confirmed} of its ${cluster.jobs} jobs${others}.`;
  if (cluster.jobs > 0) return `Its ${cluster.jobs === 1 ? "1 job is" : `${cluster.jobs} jobs are`} as last seen${others}.`;
  return cluster.neverRead ? "Its jobs are not known." : "No job of it was on record before.";
}

// What the lists that are missing would show.
function unseen(cluster) {
  const isLost = (name) => cluster.kinds.some((kind) => kind.kind === name && ["retrying", "pending"].includes(kind.state));
  if (isLost("Deployment") && !isLost("Pod")) return "That a Deployment is made, changed or deleted is";
  if (isLost("Pod") && !isLost("Deployment")) return "What becomes of pods is";
  return "What becomes of Deployments and pods is";
}

function tickClusters() {
  for (const since of byId("clusters").querySelectorAll("[data-since]")) {
    setText(since, ` since ${new Date(since.dataset.since).toLocaleTimeString()}, ${span(Date.now() - Date.parse(since.dataset.since))}`);
  }
}

// What an empty list says.
function nothingOnRecord() {
  const names = unread().map((cluster) => cluster.name);
  if (names.length === 0) return "No job is on record yet. Jobs appear as soon as the engine discovers them, or name one with [[job]] in its configuration.";
  return `No job is on record, but that does not mean that there is none: ${names.join(", ")} could not be read.`;
}

// ---- Whether the page is the present

const isStale = () => byId("gate").hidden && (byId("link").dataset.link === "lost" || Date.now() - heard > SILENT);

function showStale() {
  const stale = isStale();
  byId("stale").hidden = !stale;
  document.body.toggleAttribute("data-stale", stale);
  // A stream that is open and silent has not ended yet.
  if (byId("link").dataset.link === "live") setText(byId("link"), stale ? "engine not answering" : "live");
  if (stale) setText(byId("stale"), `As of ${new Date(heard).toLocaleTimeString()}, ${span(Date.now() - heard)} ago: the engine does not answer, so nothing below is newer. It is asked again and again.`);
}
