// How much of a cluster can be read, for people.

import type { Cluster, ClusterKind, Summary } from '../api/types';
import { LIVING } from '../lib/job';

export type Reach = 'pending' | 'reachable' | 'partly' | 'unknown';

const isOperators = (kind: ClusterKind): boolean => kind.kind.startsWith('Flink');
const lost = (cluster: Cluster): ClusterKind[] => cluster.kinds.filter((kind) => kind.state === 'retrying');

/** Kubernetes' own kinds carry the record; the operator's add to it. */
export function reachOf(cluster: Cluster): Reach {
  const own = cluster.kinds.filter((kind) => !isOperators(kind));
  if (own.length > 0 && own.every((kind) => kind.state === 'retrying')) return 'unknown';
  if (lost(cluster).length > 0) return 'partly';
  if (cluster.state === 'retrying') return 'unknown';
  return cluster.state === 'pending' ? 'pending' : 'reachable';
}

/** Which lists are missing: `Pods in team-a, FlinkDeployments`. */
export function unreadKinds(cluster: Cluster): string {
  const names = lost(cluster).map((kind) => `${kind.kind}s${kind.namespace ? ` (${kind.namespace})` : ''}`);
  return names.length > 3 ? `${names.slice(0, 3).join(', ')} +${names.length - 3}` : names.join(', ');
}

export interface Outage {
  cluster: Cluster;
  isWhole: boolean;
  kinds: string;
  since: string | null;
  fault: string | null;
}

/** What of a cluster cannot be read, if anything. */
export function outageOf(cluster: Cluster): Outage | null {
  const reach = reachOf(cluster);
  if (reach === 'pending' || reach === 'reachable') return null;
  const kinds = lost(cluster);
  // An operator that is not installed was never readable: that says nothing of when what is lost now was.
  const own = kinds.filter((kind) => !isOperators(kind));
  const earliest = (of: ClusterKind[]): string | undefined => of.flatMap((kind) => kind.unknownSince ?? []).sort()[0];
  const since = cluster.unknownSince ?? earliest(own) ?? earliest(kinds) ?? null;
  return {
    cluster,
    isWhole: reach === 'unknown',
    kinds: unreadKinds(cluster),
    since,
    fault: cluster.fault ?? kinds[0]?.fault ?? null,
  };
}

/** The jobs of a cluster that have not ended, and those of them that are confirmed. */
export interface Living {
  jobs: number;
  confirmed: number;
}

/** What the engine is asked for them. */
export const livingPath = (cluster: string): string => `api/v1/summary?${new URLSearchParams([['cluster', cluster], ...LIVING.map((state) => ['state', state])])}`;

export const livingOf = (summary: Summary): Living => ({ jobs: summary.jobs, confirmed: summary.facets.confidence.items.find((item) => item.value === 'confirmed')?.count ?? 0 });
