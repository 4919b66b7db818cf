import { describe, expect, it } from 'vitest';
import type { HistoryItem } from '../api/types';
import { story } from '../../tests/mock/world';
import { rowsOf } from './rows';

const now = Date.parse('2026-11-28T04:00:00Z');
const items = story('a/b/c', now);
const newest = [...items].reverse();
const why = 'the row is damaged';

describe('rowsOf', () => {
  it('has entries that do not read at their place, once each, in either order', () => {
    const unreadable = [{ sequence: 5.5, job: 'a/b/c', why }, { sequence: 99, job: 'a/b/c', why }, { sequence: 5.5, job: 'a/b/c', why }];
    const sequences = (isOldestFirst: boolean) => rowsOf(isOldestFirst ? items : newest, unreadable, isOldestFirst).map((row) => (row.item ?? row.unreadable).sequence);
    expect(sequences(true)).toEqual([1, 2, 3, 4, 5, 5.5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 99]);
    expect(sequences(false)).toEqual(sequences(true).reverse());
    expect(rowsOf([], unreadable, false)).toHaveLength(2);
  });

  it('says what an update changed, in either order', () => {
    for (const rows of [rowsOf(newest, [], false), rowsOf(items, [], true).reverse()]) {
      const updates = rows.filter((row) => row.item?.kind === 'update');
      expect(updates).toMatchObject([{ was: 'stale', item: { confidence: 'confirmed' } }, { was: 'confirmed', item: { confidence: 'stale' } }]);
    }
  });

  it('folds updates of which nothing is told, and no others', () => {
    const update = (sequence: number, job = 'a/b/c', more: Partial<HistoryItem> = {}): HistoryItem => ({ sequence, at: new Date(now + sequence).toISOString(), job, kind: 'update', revision: sequence, confidence: 'confirmed', ...more });
    const many = [...items, update(20), update(21), update(22), update(23, 'a/b/other'), update(24), update(25, 'a/b/c', { confidence: 'stale' }), update(26, 'a/b/c', { confidence: null })];
    const rows = rowsOf(many.reverse(), [], false);
    expect(rows.slice(0, 5).map((row) => row.item && [row.item.sequence, row.was, row.folded])).toEqual([[26, null, 0], [25, 'confirmed', 0], [24, null, 0], [23, null, 0], [22, null, 2]]);
  });
});
