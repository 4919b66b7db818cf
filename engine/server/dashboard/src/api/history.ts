// The history, in pages. Where little is found in much, a page may have no items and go on.

import { ask, get } from './client';
import type { HistoryItem, Page } from './types';

/** Where the next page of a table begins. */
const CURSOR = 'steadfast-cursor';

const pathOf = (query: string, limit: number, cursor: string | null): string =>
  `api/v1/history?${query}&limit=${limit}${cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`}`;

/** Reads on until there are items, or none are left. Fails as `get` does, e.g. with 404 where the engine has no history. */
export async function readHistory(query: string, limit: number, from: string | null): Promise<Page<HistoryItem>> {
  let cursor = from;
  for (;;) {
    const page = await get<Page<HistoryItem>>(pathOf(query, limit, cursor));
    if (page.items.length > 0 || page.cursor === null) return page;
    cursor = page.cursor;
  }
}

/** All of it as a table, in parts; `progress` is told how many lines there are so far. */
export async function readTable(query: string, limit: number, progress: (lines: number) => void): Promise<string[]> {
  const parts: string[] = [];
  let lines = 0;
  let cursor: string | null = null;
  do {
    const response: Response = await ask(`${pathOf(query, limit, cursor)}&format=csv`, { accept: 'text/csv' });
    const text = await response.text();
    // The line of names is that of the first page.
    parts.push(parts.length === 0 ? text : text.slice(text.indexOf('\n') + 1));
    lines += text.split('\n').length - 2;
    progress(Math.max(0, lines));
    cursor = response.headers.get(CURSOR);
  } while (cursor !== null);
  return parts;
}

/** All of it as items. */
export async function readAll(query: string, limit: number, progress: (items: number) => void): Promise<HistoryItem[]> {
  const items: HistoryItem[] = [];
  let cursor: string | null = null;
  do {
    const page: Page<HistoryItem> = await readHistory(query, limit, cursor);
    items.push(...page.items);
    progress(items.length);
    cursor = page.cursor;
  } while (cursor !== null);
  return items;
}
