// A server that keeps to the contract of the API, over jobs in memory: for shapes, sizes and failures that a real engine is slow
// to get into. It serves the built dashboard under the same Content-Security-Policy as the engine.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Call, ClusterList, HistoryItem, HistoryPage, Job, PodsFacts, PolicyList, ShadowPage, StreamEvent, FlinkFacts, LogFacts } from '../../src/api/types';
import { explanationOf, flinkOf, LOG, podsOf } from './details';
import { alertsOf, matches, order, severityOf, summaryOf } from './query';
import { clustersOf, iso } from './world';

const DIST = new URL('../../dist/', import.meta.url);
const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const FILES: Record<string, [string, string]> = {
  '/': ['index.html', 'text/html; charset=utf-8'],
  '/dashboard/app.js': ['dashboard/app.js', 'text/javascript; charset=utf-8'],
  '/dashboard/style.css': ['dashboard/style.css', 'text/css; charset=utf-8'],
  '/dashboard/icon.svg': ['dashboard/icon.svg', 'image/svg+xml'],
};

export interface Asked {
  method: string;
  path: string;
  body: unknown;
}

export type Reply = { status: number; body?: unknown; type?: string; headers?: Record<string, string> };
const ok = (body: unknown): Reply => ({ status: 200, body });
const problem = (status: number, code: string, detail: string): Reply => ({ status, type: 'application/problem+json', body: { type: `tag:steadfast.dev,2026:problem:${code}`, code, title: 'refused', status, detail } });
/** What a proxy answers by itself. */
export const page = (status: number, body = '<html><body>default backend</body></html>', type = 'text/html'): Reply => ({ status, body, type });

const RESET = `event: reset\ndata: ${JSON.stringify({ at: iso(Date.now()) })}\n\n`;

export class Mock {
  readonly jobs = new Map<string, Job>();
  history: HistoryItem[] = [];
  clusters: ClusterList = { items: [], standalone: null };
  policies: PolicyList = { items: [], lastReload: null };
  shadows: ShadowPage = { policies: [], items: [], cursor: null };
  token: string | null = null;
  /** What a proxy in front of the engine answers in its place, if anything. */
  proxy: ((path: string) => Reply | null) | null = null;
  /** Refusals of the engine by path. */
  refuses: ((path: string) => Reply | null) | null = null;
  /** Entries of the history that do not read, and up to which one they were dropped. */
  unreadable: NonNullable<HistoryPage['unreadable']> = [];
  droppedUntil = 0;
  /** Paths that this engine does not serve. */
  missing: RegExp[] = [];
  /** Everything that was asked, the newest last. */
  asked: Asked[] = [];
  sequence = 0;
  /** Of which store the answers are. */
  storeId = 'mock';
  metrics = '';
  /** The engine's clock, if it stands still. */
  now: number | null = null;
  ready: unknown = null;
  store: unknown = null;
  /** What is told of each job on request, in the place of what is usual. */
  closeup: Partial<FlinkFacts & PodsFacts & LogFacts> = {};
  readonly #streams = new Set<ServerResponse>();
  #server: Server | undefined;
  #port = 0;

  constructor(jobs: Job[] = []) {
    for (const job of jobs) this.jobs.set(job.id, job);
    this.clusters = clustersOf(jobs);
  }

  get address(): string {
    return `http://127.0.0.1:${this.#port}/`;
  }

  /** How many follow the events. */
  get followers(): number {
    return this.#streams.size;
  }

  /** Listens, after a stop at the port of before. */
  async start(): Promise<this> {
    const server = createServer((request, response) => {
      if (this.now !== null) response.setHeader('date', new Date(this.now).toUTCString());
      void this.#serve(request, response);
    });
    await new Promise<void>((resolve) => server.listen(this.#port, '127.0.0.1', resolve));
    this.#server = server;
    this.#port = (server.address() as AddressInfo).port;
    return this;
  }

  /** An entry is committed that does not read. */
  damage(id: string, why: string): void {
    this.sequence += 1;
    const entry = { sequence: this.sequence, job: id, why };
    this.unreadable.push(entry);
    for (const stream of this.#streams) stream.write(`id: ${entry.sequence}\nevent: unreadable\ndata: ${JSON.stringify({ ...entry, store: this.storeId, at: iso(Date.now()) })}\n\n`);
  }

  /** A proxy takes the engine's place: what is open breaks off, and each further request is answered by it. */
  hide(answer: Reply): void {
    this.proxy = () => answer;
    this.breakOff();
  }

  /** Another store takes the place of this one, of which it has nothing, e.g. one that was restored from a backup and has the same name. */
  replace(jobs: Job[], history: HistoryItem[], storeId = this.storeId): void {
    this.storeId = storeId;
    this.jobs.clear();
    for (const job of jobs) this.jobs.set(job.id, job);
    this.history = history;
    this.sequence = Math.max(0, ...history.map((item) => item.sequence));
  }

  /** Tells those who follow that the history is another one. */
  reset(): void {
    for (const stream of this.#streams) stream.write(RESET);
  }

  /** Ends every event stream. */
  breakOff(): void {
    for (const stream of this.#streams) stream.destroy();
    this.#streams.clear();
  }

  /** Ends like a process that was killed: connections break off. */
  async stop(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    this.#server = undefined;
    this.#streams.clear();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }

  /** Commits a job as it is now, and tells it to those who follow. What somebody asked for is an entry about their call. */
  commit(job: Job, kind: 'update' | 'transition' = 'update', asked: Pick<Call, 'what' | 'alert' | 'says' | 'until' | 'comment'> | null = null): void {
    const before = this.jobs.get(job.id);
    const shown = { ...job, severity: severityOf(job), revision: (before?.revision ?? 0) + 1 };
    this.jobs.set(job.id, shown);
    const at = iso(Date.now());
    const sequence = this.sequence + 1;
    const { state: to, confidence, reason, attempt, policy, revision } = shown;
    const entry = { sequence, at, job: job.id, revision };
    if (asked) this.#enter({ ...entry, kind: 'call', call: { sequence, at, through: 'nothing', from: '127.0.0.1', ...asked } }, shown);
    else if (kind === 'update') this.#enter({ ...entry, kind, confidence }, shown);
    else this.#enter({ ...entry, kind, transition: { sequence, at, from: before?.state ?? 'UNKNOWN', to, confidence, reason, attempt, policy } }, shown);
  }

  /** Commits a job that has an alert from now on, and tells of the last one of them. */
  raise(job: Job): void {
    const shown = { ...job, severity: severityOf(job), revision: (this.jobs.get(job.id)?.revision ?? 0) + 1 };
    this.jobs.set(job.id, shown);
    const alert = shown.alerts.at(-1);
    if (alert) this.#enter({ sequence: this.sequence + 1, at: iso(Date.now()), job: job.id, kind: 'alert', revision: shown.revision, alert: { alert: alert.alert, scope: alert.scope, since: alert.since, message: alert.message, job: job.id, status: 'firing' } }, shown);
  }

  forget(id: string): void {
    const revision = (this.jobs.get(id)?.revision ?? 0) + 1;
    this.jobs.delete(id);
    this.#enter({ sequence: this.sequence + 1, at: iso(Date.now()), job: id, kind: 'forgotten', revision }, null);
  }

  // A call has the name of an update in the stream, and says itself what it is.
  #enter(item: HistoryItem, record: Job | null): void {
    this.sequence = item.sequence;
    this.history.push(item);
    const { job, sequence, at, revision, kind, call } = item;
    const event: StreamEvent = { job, sequence, at, revision, kind, ...(call ? { call } : {}), body: item.transition ?? item.alert ?? null, store: this.storeId, record };
    const name = kind === 'call' ? 'update' : kind;
    for (const stream of this.#streams) stream.write(`id: ${sequence}\nevent: ${name}\ndata: ${JSON.stringify(event)}\n\n`);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.address);
    const file = FILES[url.pathname];
    if (file) {
      response.writeHead(200, { 'content-type': file[1], 'content-security-policy': POLICY, 'x-content-type-options': 'nosniff', 'cache-control': 'no-cache' });
      response.end(readFileSync(new URL(file[0], DIST)));
      return;
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const body: unknown = text === '' ? null : JSON.parse(text);
    this.asked.push({ method: request.method ?? 'GET', path: url.pathname + url.search, body });
    const other = this.proxy?.(url.pathname) ?? null;
    if (other !== null) return this.#answer(request, response, other);
    response.setHeader('steadfast-store', this.storeId);
    if (this.token !== null && request.headers.authorization !== `Bearer ${this.token}`) return this.#answer(request, response, problem(401, request.headers.authorization === undefined ? 'key-required' : 'unknown-token', 'no token'));
    if (this.missing.some((path) => path.test(url.pathname))) return this.#answer(request, response, problem(404, 'no-such-path', `there is nothing at ${url.pathname}`));
    const refused = this.refuses?.(url.pathname) ?? null;
    if (refused !== null) return this.#answer(request, response, refused);
    if (url.pathname === '/api/v1/events') {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(': here\n\n');
      if (url.searchParams.has('store') && url.searchParams.get('store') !== this.storeId) response.write(RESET);
      this.#streams.add(response);
      response.on('close', () => this.#streams.delete(response));
      return;
    }
    this.#answer(request, response, request.method === 'GET' ? this.#get(url) : this.#write(request.method ?? '', url, body));
  }

  #answer(request: IncomingMessage, response: ServerResponse, reply: Reply): void {
    if (reply.body === undefined) {
      response.writeHead(reply.status).end();
      return;
    }
    const text = typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body);
    const etag = `"${createHash('sha1').update(text).digest('hex')}"`;
    if (request.headers['if-none-match'] === etag) {
      response.writeHead(304, { etag }).end();
      return;
    }
    response.writeHead(reply.status, { 'content-type': reply.type ?? 'application/json', etag, ...reply.headers });
    response.end(text);
  }

  #get(url: URL): Reply {
    const { pathname: path, searchParams: query } = url;
    const found = (): Job[] => [...this.jobs.values()].filter((job) => matches(job, query));
    switch (path) {
      case '/api/v1/jobs': return ok(this.#page(found().sort(order(query.get('sort') ?? 'id')), query));
      case '/api/v1/summary': return ok(summaryOf(found(), [...this.jobs.values()], this.sequence));
      case '/api/v1/alerts': {
        const isSilenced = query.get('status') === 'silenced';
        const rows = alertsOf(found(), [...this.jobs.values()]).filter((row) => !query.has('status') || Boolean(row.silencedUntil) === isSilenced);
        return ok(this.#page(rows, query));
      }
      case '/api/v1/history': return this.#historyOf(query);
      case '/api/v1/clusters': return ok(this.clusters);
      case '/api/v1/policies': return ok(this.policies);
      case '/api/v1/shadows': return ok(this.shadows);
      case '/api/v1/store': return ok(this.store ?? { store: this.storeId, newest: this.sequence, droppedUntil: 0, quarantined: [], unwritten: [] });
      case '/livez': return ok({ live: true, turnedSecondsAgo: 0.4 });
      case '/readyz': return ok(this.ready ?? { ready: true, store: null, policies: ['conservative'], clusters: [] });
      case '/metrics': return { status: 200, body: this.metrics, type: 'text/plain' };
      default: return this.#jobPart(path, query);
    }
  }

  #page<T>(items: T[], query: URLSearchParams): unknown {
    const limit = Number(query.get('limit') ?? 500);
    const from = Number(query.get('cursor') ?? 0);
    const end = from + limit;
    return { items: items.slice(from, end), total: items.length, cursor: end < items.length ? String(end) : null };
  }

  #historyOf(query: URLSearchParams): Reply {
    const words = (name: string): string[] => query.getAll(name).flatMap((value) => value.split(',')).filter(Boolean);
    const [kinds, clusters, namespaces] = [words('kind'), words('cluster'), words('namespace')];
    const [since, until] = [Date.parse(query.get('since') ?? ''), Date.parse(query.get('until') ?? '')];
    const items = this.history.filter(({ job, kind, at }) => {
      const [cluster = '', namespace = ''] = job.split('/');
      return (!query.get('job') || query.get('job') === job) && (kinds.length === 0 || kinds.includes(kind)) && (clusters.length === 0 || clusters.includes(cluster)) &&
        (namespaces.length === 0 || namespaces.includes(namespace)) && !(Date.parse(at) < since) && !(Date.parse(at) >= until);
    });
    const sign = query.get('order') === 'oldest' ? 1 : -1;
    items.sort((a, b) => sign * (Date.parse(a.at) - Date.parse(b.at) || a.sequence - b.sequence));
    const page = this.#page(items, query) as { items: HistoryItem[]; cursor: string | null };
    if (query.get('format') !== 'csv') return ok({ ...page, droppedUntil: this.droppedUntil, ...(query.has('cursor') || this.unreadable.length === 0 ? {} : { unreadable: this.unreadable.filter((one) => !query.get('job') || one.job === query.get('job')) }) });
    const lines = page.items.map((item) => [item.sequence, item.at, item.job, item.kind, item.transition?.from ?? '', item.transition?.to ?? '', '', item.alert?.alert ?? item.call?.alert ?? '', item.alert?.status ?? '', item.call?.by ?? '', ''].join(','));
    return { status: 200, body: `sequence,at,job,kind,from,to,confidence,alert,status,by,message\n${lines.join('\n')}\n`, type: 'text/csv', ...(page.cursor === null ? {} : { headers: { 'steadfast-cursor': page.cursor } }) };
  }

  /** The job that a path is about, and what of it. */
  #named(path: string): { job: Job; part: string[] } | null {
    const segments = path.replace(/^\/api\/v1\/jobs\//, '').split('/').map(decodeURIComponent);
    for (const length of [4, 3]) {
      const job = this.jobs.get(segments.slice(0, length).join('/'));
      if (job && segments.length >= length) return { job, part: segments.slice(length) };
    }
    return null;
  }

  #jobPart(path: string, query: URLSearchParams): Reply {
    const named = this.#named(path);
    if (!named) return problem(404, 'no-such-job', `there is no job ${decodeURIComponent(path.replace(/^\/api\/v1\/jobs\//, ''))}; GET /api/v1/jobs lists all`);
    const now = this.now ?? Date.now();
    const { job, part: [part] } = named;
    switch (part) {
      case undefined: return ok(job);
      case 'explain': return ok(explanationOf(job, now));
      case 'flink': return ok({ ...flinkOf(job, now), ...this.closeup });
      case 'pods': return ok({ ...podsOf(job, now), ...this.closeup });
      case 'log': return ok(this.closeup.log ? { askedAt: iso(now), log: this.closeup.log } : { askedAt: iso(now), log: { known: 'present', value: { pod: `${job.name}-7f9c-jm1`, container: 'flink-main-container', text: LOG.split('\n').slice(-Number(query.get('lines') ?? 200)).join('\n') } } });
      default: return problem(404, 'no-such-path', 'no such part');
    }
  }

  #write(method: string, url: URL, body: unknown): Reply {
    const named = this.#named(url.pathname);
    if (!named) return problem(404, 'no-such-job', 'there is no such job');
    const { job, part: [part, name] } = named;
    const said = (body ?? {}) as { intent?: 'cancel'; author?: string; until?: string; comment?: string };
    const says = said.author ? { says: said.author } : {};
    const at = iso(Date.now());
    if (method === 'DELETE' && part === undefined) {
      if (job.state === 'RUNNING' && url.searchParams.get('force') !== 'true') return problem(409, 'job-seen-alive', `${job.id} is seen alive; add force=true`);
      this.commit(job, 'update', { what: url.searchParams.get('force') === 'true' ? 'forget-by-force' : 'forget' });
      this.forget(job.id);
      return { status: 204 };
    }
    if (part === 'intent') this.commit({ ...job, intent: { intent: said.intent ?? 'none', since: at, ...(said.author ? { author: said.author } : {}) } }, 'update', { what: said.intent ?? 'none', ...says });
    if (part === 'look') this.commit({ ...job, confirmedAt: at });
    if (part === 'silences') {
      const until = method === 'PUT' ? (said.until ?? null) : null;
      const alerts = job.alerts.map((alert) => (alert.alert === name ? { ...alert, silencedUntil: until } : alert));
      const others = job.silences.filter((silence) => silence.alert !== name);
      // Without a silence there is none to be taken back.
      if (method === 'DELETE' && others.length === job.silences.length) return ok(job);
      const silences = until === null ? others : [...others, { alert: name ?? '', until, by: said.author ?? null, comment: said.comment ?? null, since: at }];
      this.commit({ ...job, alerts, silences }, 'update', { what: until === null ? 'unsilence' : 'silence', alert: name ?? null, ...(until === null ? {} : { until, comment: said.comment ?? null }), ...says });
    }
    return ok(this.jobs.get(job.id));
  }
}
