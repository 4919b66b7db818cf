// How much of a cluster can be read, for people.

import type { Cluster, ClusterKind } from '../api/types';

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
  /** How many of its jobs Flink itself confirms all the same. */
  confirmed: number;
}

/** What of a cluster cannot be read, if anything. */
export function outageOf(cluster: Cluster): Outage | null {
  const reach = reachOf(cluster);
  if (reach === 'pending' || reach === 'reachable') return null;
  const kinds = lost(cluster);
  const since = kinds.flatMap((kind) => kind.unknownSince ?? []).sort()[0] ?? cluster.unknownSince ?? null;
  return {
    cluster,
    isWhole: reach === 'unknown',
    kinds: unreadKinds(cluster),
    since,
    fault: cluster.fault ?? kinds[0]?.fault ?? null,
    confirmed: cluster.jobs - cluster.unconfirmed,
  };
}
