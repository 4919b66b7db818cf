// The pages of a list from one of its ends on. A page begins where a cursor says, which is a place in the order, not a number: so a
// page can be read anew by itself. If it then ends elsewhere, the pages behind it are forgotten.

import type { Job, JobPage } from '../api/types';

/** Rows of a page. */
export const PAGE = 200;
/** The most rows that are read at once of what lies between the pages that were read and those that are wanted. */
export const STRIDE = 1000;

export interface Held {
  /** Where it begins; null: at the end that the chain begins at. */
  cursor: string | null;
  /** How many rows it was asked for. */
  limit: number;
  items: Job[];
  /** Where the next one begins; null on the last one. */
  next: string | null;
}

export type Chain = readonly Held[];

export interface Span {
  /** The first row and the last one, from the end that the chain begins at. */
  first: number;
  last: number;
}

export const lengthOf = (chain: Chain): number => chain.reduce((sum, page) => sum + page.items.length, 0);

export function rowOf(chain: Chain, index: number): Job | undefined {
  let before = 0;
  for (const { items } of chain) {
    if (index < before + items.length) return items[index - before];
    before += items.length;
  }
  return undefined;
}

export function indexIn(chain: Chain, id: string): number {
  let before = 0;
  for (const { items } of chain) {
    const place = items.findIndex((job) => job.id === id);
    if (place >= 0) return before + place;
    before += items.length;
  }
  return -1;
}

/** The chain with a job as it is now, if it is among its rows. */
export const withJob = (chain: Chain, job: Job): Chain =>
  chain.map((page) => (page.items.some((one) => one.id === job.id) ? { ...page, items: page.items.map((one) => (one.id === job.id ? job : one)) } : page));

export interface Step {
  /** Which page is to be read. */
  at: number;
  cursor: string | null;
  limit: number;
}

/** The page that the first wanted row is on, or the first one that is missing on the way there; null if there is none behind. */
export function begin(chain: Chain, wanted: Span): Step | null {
  let before = 0;
  for (const [at, page] of chain.entries()) {
    if (wanted.first < before + page.items.length) return { at, cursor: page.cursor, limit: page.limit };
    before += page.items.length;
  }
  return behind(chain, chain.length, wanted);
}

/** The page behind that many pages; null if the last wanted row is on them, or none is behind them. */
export function behind(chain: Chain, at: number, wanted: Span): Step | null {
  const before = lengthOf(chain.slice(0, at));
  if (at > 0 && wanted.last < before) return null;
  const cursor = at === 0 ? null : (chain[at - 1]?.next ?? null);
  if (at > 0 && cursor === null) return null;
  const held = chain[at];
  if (held) return { at, cursor, limit: held.limit };
  // Whole pages lie between: they are read at once.
  const between = Math.floor(Math.max(0, wanted.first - before) / PAGE) * PAGE;
  return { at, cursor, limit: between > PAGE ? Math.min(STRIDE, between) : PAGE };
}

/** The chain with what was read. */
export function taken(chain: Chain, { at, cursor, limit }: Step, page: JobPage): Chain {
  const next = page.cursor ?? null;
  const isSame = chain[at]?.next === next && chain[at]?.limit === limit;
  return [...chain.slice(0, at), { cursor, limit, items: page.items, next }, ...(isSame ? chain.slice(at + 1) : [])];
}
