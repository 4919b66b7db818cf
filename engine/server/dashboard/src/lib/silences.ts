// Which alerts silences silence. One about a whole cluster or policy is silenced for all of its jobs by a silence at any of them, whether
// that one has the alert or not; and stays so until the last of them ended.

import type { AlertRow, Job, Scope, Silence } from '../api/types';

/** An alert that is silenced, as far as it matters where. */
export type Subject = Pick<AlertRow, 'alert' | 'scope' | 'cluster' | 'policy'>;

type Placed = Pick<Job, 'id' | 'cluster' | 'policy'>;

/** What all jobs share that have the alert. */
function keyOf({ id, cluster, policy }: Placed, scope: Scope, alert: string): string {
  switch (scope) {
    case 'job': return `job ${id} ${alert}`;
    case 'cluster': return `cluster ${cluster} ${alert}`;
    case 'policy': return `policy ${policy} ${alert}`;
  }
}

const hasSilence = (job: Job, alert: string): boolean => job.silences.some((silence) => silence.alert === alert);

/** Where an alert is to be silenced of jobs that have it: at one of those that share it, which is one that has a silence of it if there is one. */
export function placesOf(jobs: readonly Job[], alert: string): { ids: string[]; isShared: boolean } {
  const places = new Map<string, Job>();
  let isShared = false;
  for (const job of jobs) {
    const scopes = job.alerts.filter((one) => one.alert === alert).map((one) => one.scope);
    for (const scope of scopes) {
      isShared ||= scope !== 'job';
      const key = keyOf(job, scope, alert);
      const before = places.get(key);
      if (before === undefined || (!hasSilence(before, alert) && hasSilence(job, alert))) places.set(key, job);
    }
  }
  return { ids: [...new Set([...places.values()].map((job) => job.id))], isShared };
}

/** The query for jobs that may have a silence of it. */
export const mayHold = ({ scope, cluster, policy }: Subject): string =>
  new URLSearchParams(scope === 'cluster' ? { cluster } : scope === 'policy' && policy ? { policy } : {}).toString();

/** The jobs of those that a silence of it is noted at. */
export const holdersOf = (jobs: readonly Job[], { alert, scope, cluster, policy }: Subject): string[] =>
  jobs.filter((job) => (scope === 'cluster' ? job.cluster === cluster : scope === 'policy' && job.policy === policy) && hasSilence(job, alert)).map((job) => job.id);

/** A silence, and the job that it is noted at. */
export interface Noted {
  job: string;
  silence: Silence;
}

/** Of all jobs: the silences of alerts that do not stand. They keep one from the sinks all the same. */
export function waitingOf(jobs: readonly Job[]): Noted[] {
  const standing = new Set(jobs.flatMap((job) => job.alerts.map(({ alert, scope }) => keyOf(job, scope, alert))));
  const stands = (job: Job, alert: string): boolean => (['job', 'cluster', 'policy'] as const).some((scope) => standing.has(keyOf(job, scope, alert)));
  return jobs.flatMap((job) => job.silences.filter(({ alert }) => !stands(job, alert)).map((silence) => ({ job: job.id, silence })));
}
