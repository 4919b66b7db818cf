// Fleets for tests: the same for the same seed.

import type { Call, Cluster, ClusterList, HistoryItem, Job, State } from '../../src/api/types';
import { severityOf } from './query';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** Small, and the same everywhere (mulberry32). */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export const iso = (at: number): string => new Date(at).toISOString();

export function job(id: string, more: Partial<Job> = {}, now = Date.now()): Job {
  const [cluster = '-', namespace = '-', name = id, ...rest] = id.split('/');
  const since = iso(now - 26 * HOUR);
  const blank: Omit<Job, 'severity'> = {
    id, cluster, namespace, name,
    ...(rest.length > 0 ? { sessionJob: rest.join('/') } : {}),
    mode: cluster === '-' ? 'standalone' : rest.length > 0 ? 'session' : 'application',
    flinkJobId: '7c67cd9fd7997afa8b4ab0d724042cb5',
    attempt: 1, state: 'RUNNING', confidence: 'confirmed',
    reason: { code: 'FlinkReports', message: 'Flink reports RUNNING' },
    since, firstSeen: since, startedAt: since, confirmedAt: iso(now - 2 * SECOND),
    conditions: [], alerts: [],
    watch: { attention: 'active', nextPollAt: iso(now + 3 * SECOND), nextReviewAt: null, failures: 0 },
    policy: 'conservative', revision: 4, otherJobs: [], intent: null, labels: {}, links: [], silences: [],
  };
  const whole = { ...blank, ...more };
  return { ...whole, severity: more.severity ?? severityOf(whole) };
}

export function cluster(name: string, more: Partial<Cluster> = {}, now = Date.now()): Cluster {
  const since = iso(now - 74 * HOUR);
  const kinds = ['Deployment', 'Pod', 'FlinkDeployment', 'FlinkSessionJob'].map((kind) => ({
    kind, namespace: null, state: 'reached' as const, reachableSince: since, unknownSince: null, fault: null, lastListAt: iso(now - 40 * SECOND), lastListObjects: 42,
  }));
  return { name, server: `https://${name}.example:6443`, state: 'reached', reachableSince: since, unknownSince: null, fault: null, neverRead: false, kinds, jobs: 0, unconfirmed: 0, flinks: { watched: 0, silent: 0 }, ...more };
}

export function unreadable(name: string, fault: string, age: number, now = Date.now()): Cluster {
  const since = iso(now - age);
  const blank = cluster(name, {}, now);
  const kinds = blank.kinds.map((kind) => ({ ...kind, state: 'retrying' as const, reachableSince: null, unknownSince: since, fault }));
  return { ...blank, state: 'retrying', reachableSince: null, unknownSince: since, fault, kinds };
}

const NAMES = ['orders', 'payments', 'clicks', 'sessions', 'fraud', 'ledger', 'search-index', 'recommend', 'invoices', 'telemetry', 'audit-log', 'shipping', 'pricing', 'churn', 'enrich-users', 'dedup-events', 'ads-join', 'risk-score', 'inventory', 'notify'];
const TEAMS = ['payments', 'growth', 'platform', 'data', 'search'];

/** A fleet in which most is well: some fail, some are not confirmed, one cluster has trouble. */
export function fleet(count: number, seed = 7, now = Date.now()): Job[] {
  const next = random(seed);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(next() * items.length)] as T;
  return Array.from({ length: count }, (_, at) => {
    const name = `${NAMES[at % NAMES.length]}${at < NAMES.length ? '' : `-${Math.floor(at / NAMES.length)}`}`;
    const where = pick(['prod-eu', 'prod-eu', 'prod-eu', 'prod-us', 'prod-us', 'staging']);
    const id = `${where}/${pick(['payments', 'growth', 'default', 'ml'])}/${name}`;
    const labels = { team: pick(TEAMS), tier: pick(['gold', 'silver', 'bronze']) };
    const since = iso(now - Math.floor(next() * 600 * HOUR) - MINUTE);
    const confirmedAt = iso(now - Math.floor(next() * 5 * SECOND));
    return odd(next(), { id, labels, since, firstSeen: since, startedAt: since, confirmedAt, flinkJobId: hex(next), links: links(name) }, now);
  });
}

const hex = (next: () => number): string => Array.from({ length: 32 }, () => Math.floor(next() * 16).toString(16)).join('');
const links = (name: string) => [{ name: 'Flink', url: `https://flink.example/${name}/` }, { name: 'Grafana', url: `https://grafana.example/d/flink?var-job=${name}` }];

function odd(share: number, more: Partial<Job> & { id: string }, now: number): Job {
  const reason = (code: string, message: string) => ({ code, message });
  const recent = iso(now - Math.floor(share * 1e6) - 30 * SECOND);
  if (share < 0.01) {
    return job(more.id, {
      ...more, state: 'FAILED', since: recent, reason: reason('FlinkReports', 'Flink reports FAILED: java.lang.IllegalStateException: the watermark of partition 3 went backwards'),
      alerts: [{ alert: 'JobFailed', scope: 'job', since: recent, message: 'FAILED, and nobody said that it should end' }],
    }, now);
  }
  if (share < 0.02) return job(more.id, { ...more, state: 'TERMINATED', confidence: 'inferred', since: recent, reason: reason('Gone', 'Deployment and pods are gone, and nothing says how the job ended') }, now);
  if (share < 0.045) {
    return job(more.id, { ...more, attempt: 3, conditions: [{ type: 'CheckpointsFailing', since: recent, message: '12 checkpoints in a row have failed: s3: SlowDown' }] }, now);
  }
  if (share < 0.06) {
    return job(more.id, { ...more, state: 'RESTARTING', attempt: 9, since: recent, conditions: [{ type: 'RestartLoop', since: recent, message: '9 attempts in 10 minutes' }], reason: reason('PodRestarted', 'pod restarted: OOMKilled (137)') }, now);
  }
  if (share < 0.09) {
    return job(more.id, { ...more, confidence: 'stale', confirmedAt: iso(now - 95 * SECOND), reason: reason('FlinkSilent', 'Flink gives no answer; its Deployment and pods are there') }, now);
  }
  if (share < 0.11) return job(more.id, { ...more, state: 'INITIALIZING', since: recent, reason: reason('FlinkReports', 'Flink reports INITIALIZING') }, now);
  if (share < 0.17) return job(more.id, { ...more, state: share < 0.14 ? 'FINISHED' : 'CANCELED', reason: reason('FlinkReports', `Flink reports ${share < 0.14 ? 'FINISHED' : 'CANCELED'}`), watch: { attention: 'sleeping', nextPollAt: null, nextReviewAt: null, failures: 0 } }, now);
  return job(more.id, more, now);
}

/** The clusters of a fleet, with what is on record of each. */
export function clustersOf(jobs: Job[], now = Date.now()): ClusterList {
  const names = [...new Set(jobs.map((one) => one.cluster))].filter((name) => name !== '-').sort();
  const items = names.map((name) => {
    const own = jobs.filter((one) => one.cluster === name);
    const unconfirmed = own.filter((one) => one.confidence !== 'confirmed').length;
    return cluster(name, { jobs: own.length, unconfirmed, flinks: { watched: own.length, silent: unconfirmed } }, now);
  });
  return { items, standalone: null };
}

/** Two hours of a job that failed, restarted, was lost sight of, and runs. */
export function story(id: string, now: number, first = 1): HistoryItem[] {
  let sequence = first;
  const items: HistoryItem[] = [];
  let from: State = 'UNKNOWN';
  const at = (ago: number): string => iso(now - ago);
  const turn = (ago: number, to: State, confidence: 'confirmed' | 'inferred' | 'stale', attempt: number, message: string): void => {
    const transition = { sequence, at: at(ago), from, to, confidence, attempt, policy: 'conservative', reason: { code: 'Story', message } };
    items.push({ sequence, at: at(ago), job: id, kind: 'transition', revision: sequence++, transition });
    from = to;
  };
  const known = (ago: number, confidence: 'confirmed' | 'inferred' | 'stale'): void => {
    items.push({ sequence, at: at(ago), job: id, kind: 'update', revision: sequence++, confidence });
  };
  const alert = (ago: number, since: number, status: 'firing' | 'resolved', name: string, message: string): void => {
    items.push({ sequence, at: at(ago), job: id, kind: 'alert', revision: sequence++, alert: { alert: name, job: id, scope: 'job', status, since: at(since), message } });
  };
  const call = (ago: number, what: Call['what']): void => {
    items.push({ sequence, at: at(ago), job: id, kind: 'call', revision: sequence, call: { sequence: sequence++, at: at(ago), what, by: 'ann', through: 'token', from: '10.0.0.7' } });
  };
  turn(118 * MINUTE, 'INITIALIZING', 'confirmed', 1, 'Flink reports INITIALIZING');
  turn(117 * MINUTE, 'RUNNING', 'confirmed', 1, 'Flink reports RUNNING');
  turn(84 * MINUTE, 'RESTARTING', 'inferred', 1, 'pod orders-jm, container flink-main-container restarted: OOMKilled (137)');
  turn(81 * MINUTE, 'RUNNING', 'confirmed', 2, 'Flink reports RUNNING');
  turn(62 * MINUTE, 'RESTARTING', 'confirmed', 2, 'Flink reports RESTARTING');
  alert(58 * MINUTE, 58 * MINUTE, 'firing', 'RestartLoop', '7 attempts in 10 minutes');
  turn(49 * MINUTE, 'RUNNING', 'confirmed', 3, 'Flink reports RUNNING');
  alert(44 * MINUTE, 58 * MINUTE, 'resolved', 'RestartLoop', '7 attempts in 10 minutes');
  call(37 * MINUTE, 'savepoint');
  turn(36.5 * MINUTE, 'SAVEPOINTING', 'confirmed', 3, 'Flink reports RUNNING, savepoint 41 in progress');
  turn(34 * MINUTE, 'RUNNING', 'confirmed', 3, 'Flink reports RUNNING');
  known(22 * MINUTE, 'stale');
  known(15 * MINUTE, 'confirmed');
  alert(6 * MINUTE, 6 * MINUTE, 'firing', 'CheckpointsFailing', '12 checkpoints in a row have failed');
  return items;
}
