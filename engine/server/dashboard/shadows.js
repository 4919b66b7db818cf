// The panel of shadow policies: what they would show, beside what is recorded. It is there when there are any.
"use strict";

// Beyond as many differing jobs the panel says how many more there are; the API lists them all.
const DIFFERING_SHOWN = 50;

async function loadShadows() {
  const page = await askJson(`/api/v1/shadows?differs=true&limit=${DIFFERING_SHOWN}`);
  drawShadows(page);
}

function drawShadows(page) {
  const panel = byId("shadows");
  panel.hidden = page.policies.length === 0;
  if (panel.hidden) return;
  // What has not changed stays, so that nobody loses the link under the pointer.
  const drawn = JSON.stringify(page);
  if (panel.dataset.drawn === drawn) return;
  panel.dataset.drawn = drawn;
  byId("shadow-policies").replaceChildren(...page.policies.map(shadowPolicy));
  byId("differing").replaceChildren(...page.items.map(differingJob));
  byId("differing-table").hidden = page.items.length === 0;
  const differing = page.policies.reduce((sum, policy) => sum + policy.differing, 0);
  byId("shadow-rest").textContent = differing > page.items.length
    ? `and ${differing - page.items.length} more: GET /api/v1/shadows?differs=true lists all`
    : differing === 0 ? "They would all show what is recorded." : "";
  tickShadows();
}

function shadowPolicy(policy) {
  const share = policy.judged > 0 ? ` (${(100 * policy.differed / policy.judged).toFixed(1)}%)` : "";
  return make("tr", {},
    make("th", { scope: "row" }, policy.policy),
    make("td", { class: "number" }, String(policy.jobs)),
    make("td", { class: policy.differing > 0 ? "number differs" : "number" }, String(policy.differing)),
    make("td", { class: "number" }, `${policy.differed} of ${policy.judged}${share}`),
    make("td", { class: policy.failures > 0 ? "number error" : "number" }, String(policy.failures)),
  );
}

function differingJob(item) {
  const says = (one) => make("td", {}, stateLabel(one.state, one.confidence), one.attempt === item.decided.attempt ? null : make("span", { class: "confidence" }, `attempt ${one.attempt}`), make("small", { title: one.reason.message }, one.reason.message || one.reason.code));
  const parts = item.job.split("/");
  return make("tr", { "data-since": item.since },
    make("td", { class: "job" }, make("a", { href: `#${encodeURI(item.job)}` }, parts.at(-1)), make("small", {}, parts.slice(0, -1).join("/"))),
    make("td", {}, item.policy),
    says(item.decided),
    says(item.shadow),
    make("td", { class: "number", title: item.since }),
  );
}

function tickShadows() {
  for (const row of byId("differing").children) setText(row.lastElementChild, span(Date.now() - Date.parse(row.dataset.since)));
}

// What the shadows say of one job, for its page.
function shadowsOf(explanation) {
  const shadows = explanation.shadows ?? [];
  if (shadows.length === 0) return [];
  const rows = shadows.map((one) => make("tr", {},
    make("th", { scope: "row" }, one.policy),
    make("td", {}, stateLabel(one.shadow.state, one.shadow.confidence), ` ${one.differs ? "differs" : "agrees"}`, make("small", {}, one.failure ? `failed ${ago(one.failure.at)}: ${one.failure.message}` : one.shadow.reason.message || one.shadow.reason.code)),
    make("td", { class: "number" }, ago(one.since)),
  ));
  return [make("h3", {}, "What shadow policies would show"), make("table", { class: "evidence" }, make("tbody", {}, ...rows))];
}
