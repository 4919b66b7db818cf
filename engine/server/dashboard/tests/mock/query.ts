// Filters, sorts, counts and alerts over a list of jobs, as the API's contract has them.

import { type AlertRow, FACETS, type Job, SEVERITIES, type Severity, type Silence, type StandingAlert, type Summary } from '../../src/api/types';

export function severityOf(job: Omit<Job, 'severity'>): Severity {
  if (job.alerts.some((alert) => alert.scope === 'job' && !alert.silencedUntil)) return 'alerting';
  if (['FAILED', 'LOST', 'TERMINATED'].includes(job.state)) return 'failed';
  if (job.conditions.length > 0) return 'degraded';
  if (job.confidence !== 'confirmed' || job.state === 'UNKNOWN') return 'unconfirmed';
  if (job.state === 'RUNNING') return 'running';
  return ['FINISHED', 'CANCELED', 'SUSPENDED'].includes(job.state) ? 'ended' : 'changing';
}

function valuesOf(job: Job, name: string): string[] {
  switch (name) {
    case 'condition': return job.conditions.map((condition) => condition.type);
    case 'alert': return job.alerts.map((alert) => alert.alert);
    case 'label': return Object.entries(job.labels ?? {}).map(([key, value]) => `${key}=${value}`);
    default: return [String(job[name as keyof Job])];
  }
}

const words = (query: URLSearchParams, name: string): string[] => query.getAll(name).flatMap((value) => value.split(',')).filter(Boolean);

export function matches(job: Job, query: URLSearchParams): boolean {
  for (const name of ['state', 'namespace', 'cluster', 'confidence', 'mode', 'policy', 'condition', 'severity', 'alert']) {
    const wanted = words(query, name);
    const values = valuesOf(job, name);
    if (wanted.length > 0 && !values.some((value) => wanted.includes(value) || (name === 'alert' && wanted.includes('*')))) return false;
  }
  const labels = valuesOf(job, 'label');
  if (!words(query, 'label').every((wanted) => labels.some((label) => label === wanted || label.startsWith(`${wanted}=`)))) return false;
  const search = query.get('search')?.toLowerCase();
  if (search && !job.id.toLowerCase().includes(search)) return false;
  const since = query.get('since');
  return !since || Date.parse(job.since) >= Date.parse(since);
}

const text = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

export function order(sort: string): (a: Job, b: Job) => number {
  const word = sort.replace(/^-/, '');
  const sign = sort.startsWith('-') ? -1 : 1;
  const by: Record<string, (a: Job, b: Job) => number> = {
    id: () => 0,
    severity: (a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) || text(a.since, b.since),
    state: (a, b) => text(a.state, b.state),
    since: (a, b) => text(a.since, b.since),
    confirmed: (a, b) => text(a.confirmedAt ?? '', b.confirmedAt ?? ''),
    cluster: (a, b) => text(a.cluster, b.cluster),
  };
  const compare = by[word];
  if (!compare) throw new Error(`no sort ${word}`);
  return (a, b) => sign * (compare(a, b) || text(a.id, b.id));
}

export function summaryOf(jobs: Job[], all: Job[], sequence: number): Summary {
  const severity = Object.fromEntries(SEVERITIES.map((word) => [word, 0])) as Record<Severity, number>;
  const counts = new Map(FACETS.map((name) => [name, new Map<string, number>()]));
  for (const job of jobs) {
    severity[job.severity] += 1;
    for (const [name, values] of counts) for (const value of valuesOf(job, name)) values.set(value, (values.get(value) ?? 0) + 1);
  }
  const facets = Object.fromEntries([...counts].map(([name, values]) => {
    const items = [...values].map(([value, count]) => ({ value, count })).sort((a, b) => b.count - a.count || text(a.value, b.value));
    return [name, { items: items.slice(0, 200), more: Math.max(0, items.length - 200) }];
  })) as Summary['facets'];
  const alerts = alertsOf(jobs, all);
  const silenced = alerts.filter((alert) => alert.silencedUntil).length;
  return { jobs: jobs.length, sequence, severity, alerts: { firing: alerts.length - silenced, silenced }, facets };
}

/** Whom an alert is about: many jobs share what is about a cluster or a policy. */
const aboutOf = (job: Job, scope: StandingAlert['scope']): string => (scope === 'job' ? job.id : scope === 'cluster' ? job.cluster : job.policy);

/** The silence that stands of an alert, and the job that it is noted at: one job's is enough for what many share. */
function silenceOf(all: Job[], job: Job, { alert, scope }: StandingAlert): { at: Job; silence: Silence } | null {
  for (const at of all) {
    const silence = aboutOf(at, scope) === aboutOf(job, scope) ? at.silences.find((one) => one.alert === alert) : undefined;
    if (silence) return { at, silence };
  }
  return null;
}

/** The alerts of those jobs; silences are those of all. */
export function alertsOf(jobs: Job[], all: Job[]): AlertRow[] {
  const rows = new Map<string, AlertRow>();
  for (const job of jobs) {
    for (const standing of job.alerts) {
      const { alert, scope, since, message } = standing;
      const key = `${scope} ${aboutOf(job, scope)} ${alert}`;
      const row = rows.get(key);
      if (row) {
        row.jobs += 1;
        continue;
      }
      const found = silenceOf(all, job, standing);
      const silenced = found ? { silencedUntil: found.silence.until, silencedBy: found.silence.by ?? null, silencedJob: found.at.id } : {};
      rows.set(key, { alert, scope, cluster: job.cluster, job: job.id, jobs: 1, since, message, ...(scope === 'policy' ? { policy: job.policy } : {}), ...silenced });
    }
  }
  return [...rows.values()].sort((a, b) => text(a.since, b.since));
}
