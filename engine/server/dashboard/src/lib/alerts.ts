// Alerts out of the history: those that ended, and when each stood.

import type { AlertChange, HistoryItem, Job, Scope } from '../api/types';

export interface EndedAlert {
  sequence: number;
  alert: string;
  scope: Scope;
  job: string;
  message: string;
  since: string;
  ended: string;
}

/** The newest first, as the history gives them. */
export function endedOf(items: HistoryItem[]): EndedAlert[] {
  return items.flatMap(({ sequence, at, alert }) =>
    alert?.status === 'resolved'
      ? [{ sequence, alert: alert.alert, scope: alert.scope, job: alert.job, message: alert.message, since: alert.since, ended: at }]
      : [],
  );
}

export interface AlertSpan {
  from: number;
  to: number;
  alert: string;
  scope: Scope;
  message: string;
  isOpen: boolean;
}

type Told = Pick<AlertChange, 'alert' | 'scope' | 'message' | 'since'>;

/** An alert whose end is still to be told, and the entry that told of it. */
interface Open {
  span: AlertSpan;
  sequence: number;
}

/**
 * When the alerts of a job stood, of its entries in order, of the sequences of those that do not read, in order, and of the job as it stands.
 *
 * An alert about a cluster or a policy begins in the history of the first job that has it, and ends in that of the last one. So the
 * next one of that name may come before any end is told here; it is another where `since` is another. Where no end is told, and the record
 * does not say that it stands, its end is not known: it is left out. One about the job alone is known up to the last entry that
 * could have told its end.
 */
export function alertsOf(ordered: HistoryItem[], job: Job | null, now: number, unreadable: readonly number[] = []): AlertSpan[] {
  const spans: AlertSpan[] = [];
  const open = new Map<string, Open>();
  const begin = ({ alert, scope, message, since }: Told, sequence: number): void => {
    const span = { from: Date.parse(since), to: now, alert, scope, message, isOpen: true };
    open.set(alert, { span, sequence });
    spans.push(span);
  };
  const lose = ({ span, sequence }: Open): void => {
    open.delete(span.alert);
    if (span.scope !== 'job') {
      spans.splice(spans.indexOf(span), 1);
      return;
    }
    const hole = unreadable.find((one) => one > sequence) ?? Infinity;
    const last = ordered.findLast((item) => item.sequence < hole);
    Object.assign(span, { to: Math.max(span.from, Date.parse(last?.at ?? '') || span.from), isOpen: false });
  };
  /** The one of that name, if it is that one; another one has ended. */
  const same = ({ alert, since }: Told): Open | null => {
    const standing = open.get(alert);
    if (standing === undefined || standing.span.from === Date.parse(since)) return standing ?? null;
    lose(standing);
    return null;
  };
  for (const { kind, at, alert, sequence } of ordered) {
    // What many jobs share does not end with one of them.
    if (kind === 'forgotten') {
      for (const { span } of open.values()) if (span.scope === 'job') Object.assign(span, { to: Date.parse(at), isOpen: false });
      for (const one of open.values()) if (one.span.isOpen) lose(one);
      open.clear();
    }
    if (!alert) continue;
    const standing = same(alert);
    if (standing === null) begin(alert, sequence);
    if (alert.status === 'resolved') {
      Object.assign(open.get(alert.alert)?.span ?? {}, { to: Date.parse(at), isOpen: false });
      open.delete(alert.alert);
    }
  }
  for (const alert of job?.alerts ?? []) if (same(alert) === null) begin(alert, Infinity);
  const stands = new Set(job?.alerts.map((alert) => alert.alert));
  for (const one of [...open.values()]) if (!stands.has(one.span.alert) && (job !== null || one.span.scope !== 'job')) lose(one);
  return spans;
}
