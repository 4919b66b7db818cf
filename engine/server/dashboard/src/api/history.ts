// The history, in pages. Where little is found in much, a page may have no items and go on.

import { ask, get } from './client';
import type { HistoryItem, HistoryPage, Unreadable } from './types';

/** Where the next page of a table begins. */
const CURSOR = 'steadfast-cursor';

const pathOf = (query: string, limit: number, cursor: string | null): string =>
  `api/v1/history?${query}&limit=${limit}${cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`}`;

/** What a reading found. */
export interface Found {
  items: HistoryItem[];
  /** Entries that are there and do not read. */
  unreadable: Unreadable[];
  /** Entries up to this sequence may have been dropped; 0: none were. */
  droppedUntil: number;
  /** Where it goes on; null if that was all. */
  cursor: string | null;
}

/** Reads on until there are items, or none are left. Fails as `get` does, e.g. where the engine has no history. */
export async function readHistory(query: string, limit: number, from: string | null, signal?: AbortSignal): Promise<Found> {
  let cursor = from;
  const unreadable: Unreadable[] = [];
  for (;;) {
    const page: HistoryPage = await get<HistoryPage>(pathOf(query, limit, cursor), signal);
    unreadable.push(...(page.unreadable ?? []));
    cursor = page.cursor ?? null;
    if (page.items.length > 0 || cursor === null) return { items: page.items, unreadable, droppedUntil: page.droppedUntil, cursor };
  }
}

/** Reads on until as many items as are wanted are such, or none are left. */
export async function readSome(query: string, limit: number, wanted: number, isSuch: (item: HistoryItem) => boolean): Promise<Found> {
  const items: HistoryItem[] = [];
  const unreadable: Unreadable[] = [];
  let droppedUntil = 0;
  let cursor: string | null = null;
  do {
    const found: Found = await readHistory(query, limit, cursor);
    items.push(...found.items.filter(isSuch));
    unreadable.push(...found.unreadable);
    droppedUntil = found.droppedUntil;
    cursor = found.cursor;
  } while (cursor !== null && items.length < wanted);
  return { items, unreadable, droppedUntil, cursor };
}

/** How an export is read. */
export interface Reading {
  /** Entries of a page. */
  limit: number;
  /** No more entries than these, and the rest of a page. */
  most: number;
  /** Is told how many there are so far. */
  progress: (entries: number) => void;
  signal: AbortSignal;
}

/** What was exported: parts of a file, and whether there is more. */
export interface Exported {
  parts: string[];
  entries: number;
  isCut: boolean;
}

/** The history as a table, in parts. */
export async function readTable(query: string, { limit, most, progress, signal }: Reading): Promise<Exported> {
  const parts: string[] = [];
  let entries = 0;
  let cursor: string | null = null;
  do {
    const response: Response = await ask(`${pathOf(query, limit, cursor)}&format=csv`, { accept: 'text/csv', signal });
    const text = await response.text();
    // The line of names is that of the first page.
    parts.push(parts.length === 0 ? text : text.slice(text.indexOf('\n') + 1));
    entries += Math.max(0, text.split('\n').length - 2);
    progress(entries);
    cursor = response.headers.get(CURSOR);
  } while (cursor !== null && entries < most);
  return { parts, entries, isCut: cursor !== null };
}

/** The history as an array in JSON, in parts. An entry that does not read is of the kind `unreadable`, as it is in the table. */
export async function readJson(query: string, { limit, most, progress, signal }: Reading): Promise<Exported> {
  const parts: string[] = ['['];
  let entries = 0;
  let cursor: string | null = null;
  do {
    // Not by `get`, which would remember each page.
    const response: Response = await ask(pathOf(query, limit, cursor), { signal });
    const page = (await response.json()) as HistoryPage;
    const unreadable = (page.unreadable ?? []).map((one) => ({ ...one, kind: 'unreadable' }));
    for (const item of [...page.items, ...unreadable]) parts.push(`${entries++ === 0 ? '' : ','}\n${JSON.stringify(item)}`);
    progress(entries);
    cursor = page.cursor ?? null;
  } while (cursor !== null && entries < most);
  parts.push('\n]\n');
  return { parts, entries, isCut: cursor !== null };
}
