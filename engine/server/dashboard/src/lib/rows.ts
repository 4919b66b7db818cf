// The entries of a history as rows of a list: those that do not read at their place, and updates with what they changed.

import type { Confidence, HistoryItem, Unreadable } from '../api/types';

export type Row =
  | {
      item: HistoryItem;
      /** How certain the state was before an update that changed it; null: that is not told. */
      was: Confidence | null;
      /** How many updates there are beside this one of which nothing is told. */
      folded: number;
      unreadable: null;
    }
  | { item: null; unreadable: Unreadable };

/** Of entries in the order that they are in. */
export function rowsOf(items: readonly HistoryItem[], unreadable: readonly Unreadable[], isOldestFirst: boolean): Row[] {
  const sign = isOldestFirst ? 1 : -1;
  const waiting = [...new Map(unreadable.map((one) => [one.sequence, one])).values()].sort((a, b) => sign * (a.sequence - b.sequence));
  const before = changesOf(items);
  const rows: Row[] = [];
  for (const item of items) {
    for (let next = waiting[0]; next && sign * (next.sequence - item.sequence) < 0; next = waiting[0]) {
      rows.push({ item: null, unreadable: next });
      waiting.shift();
    }
    const was = before.get(item) ?? null;
    const last = rows.at(-1);
    // Nothing is told of it but that it was: of many in a row one is enough.
    if (isMute(item, was) && last?.item && last.item.job === item.job && isMute(last.item, last.was)) last.folded += 1;
    else rows.push({ item, was, folded: 0, unreadable: null });
  }
  return [...rows, ...waiting.map((one) => ({ item: null, unreadable: one }))];
}

const isMute = (item: HistoryItem, was: Confidence | null): boolean => item.kind === 'update' && was === null;

/** What the confidence was before those updates that changed it, as far as the entries tell. */
function changesOf(items: readonly HistoryItem[]): Map<HistoryItem, Confidence> {
  const changes = new Map<HistoryItem, Confidence>();
  const known = new Map<string, Confidence>();
  for (const item of [...items].sort((a, b) => a.sequence - b.sequence)) {
    const before = known.get(item.job);
    const after = item.transition?.confidence ?? item.confidence;
    if (item.kind === 'forgotten') known.delete(item.job);
    if (!after) continue;
    if (item.kind === 'update' && before !== undefined && before !== after) changes.set(item, before);
    known.set(item.job, after);
  }
  return changes;
}
