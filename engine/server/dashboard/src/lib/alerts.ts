// Alerts that ended, out of the history.

import type { HistoryItem, Scope } from '../api/types';

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
