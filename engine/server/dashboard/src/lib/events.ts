// Which of the events of the stream a question about the history is about.

import type { Kind, StreamEvent } from '../api/types';

/** An earlier engine does not say the kind; a call is an update then. */
function kindOf({ kind, body, record }: StreamEvent): Kind {
  if (kind !== undefined) return kind;
  if (body) return 'alert' in body ? 'alert' : 'transition';
  return record === null ? 'forgotten' : 'update';
}

/** Whether the history that is asked for so has the entry that the event tells of. */
export function takesEvent(query: URLSearchParams, event: StreamEvent): boolean {
  const words = (name: string): string[] => query.getAll(name).flatMap((value) => value.split(',')).filter((word) => word !== '');
  const takes = (name: string, value: string): boolean => words(name).length === 0 || words(name).includes(value);
  const [cluster = '', namespace = ''] = event.job.split('/');
  const at = Date.parse(event.at ?? '');
  const [since, until] = [Date.parse(query.get('since') ?? ''), Date.parse(query.get('until') ?? '')];
  const job = query.get('job') ?? '';
  // What does not read may be of any kind: the list has a row for it.
  const isKind = event.why !== undefined || takes('kind', kindOf(event));
  return (job === '' || job === event.job) && isKind && takes('cluster', cluster) && takes('namespace', namespace) && !(at < since) && !(at >= until);
}
