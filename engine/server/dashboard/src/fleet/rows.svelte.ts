// The rows of the fleet's table: pages of the engine's list, read as one scrolls, and kept current.
//
// A page begins where a cursor says, which is a place in the order, not a number. So a page can be read anew by itself; if it then
// ends elsewhere, the pages behind it are forgotten and come back when they are scrolled to.

import { untrack } from 'svelte';
import { get, wordsOf } from '../api/client';
import type { Job, Page, StreamEvent } from '../api/types';
import { live } from '../live/live.svelte';

/** Rows of a page. */
const PAGE = 200;
/** How long events are gathered before the rows in sight are asked for anew; and how often that is done without any. */
const GATHER = 700;
const RENEW = 5000;
const RENEW_LARGE = 15_000;
const LARGE = 2000;

interface Held {
  /** Where it begins; null: at the beginning. */
  cursor: string | null;
  items: Job[];
  /** Where the next one begins; null on the last one. */
  next: string | null;
}

class Rows {
  pages = $state.raw<Held[]>([]);
  /** How many jobs match, on all pages; null while nothing was read. */
  total = $state<number | null>(null);
  error = $state<string | null>(null);
  /** Whether what is shown answers an earlier question. */
  isChanging = $state(false);

  #query: string | null = null;
  #wanted = { first: 0, last: 0 };
  #turn = 0;
  #isReading = false;
  #isDue = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  loaded = $derived(this.pages.reduce((sum, page) => sum + page.items.length, 0));

  at(index: number): Job | undefined {
    return this.pages[Math.floor(index / PAGE)]?.items[index % PAGE];
  }

  /** All rows that were read so far. */
  all(): Job[] {
    return this.pages.flatMap((page) => page.items);
  }

  indexOf(id: string): number {
    for (const [at, page] of this.pages.entries()) {
      const place = page.items.findIndex((job) => job.id === id);
      if (place >= 0) return at * PAGE + place;
    }
    return -1;
  }

  /** Asks another question. What is shown stays until the answer is there. */
  show(query: string): void {
    if (query === this.#query) return;
    this.#query = query;
    this.#turn += 1;
    this.#wanted = { first: 0, last: 0 };
    this.isChanging = true;
    untrack(() => void this.#read());
  }

  /** Says which rows are in sight. */
  see(first: number, last: number): void {
    this.#wanted = { first, last };
    if (last >= this.loaded && this.pages.at(-1)?.next) untrack(() => void this.#read());
  }

  /** Keeps the rows current until what is returned is called. */
  run(): () => void {
    const quiet = live.listen({ event: (event) => this.#heard(event), renew: () => void this.#read() });
    let waited = 0;
    const interval = setInterval(() => {
      waited += 1000;
      if (document.hidden || live.link !== 'live' || waited < ((this.total ?? 0) > LARGE ? RENEW_LARGE : RENEW)) return;
      waited = 0;
      void this.#read();
    }, 1000);
    untrack(() => void this.#read());
    return () => {
      quiet();
      clearInterval(interval);
    };
  }

  /** Reads what is in sight again, e.g. after something was done. */
  renew(): void {
    void this.#read();
  }

  /** The row shows at once what was committed; its place in the order comes with the next answer. */
  #heard(event: StreamEvent): void {
    if (event.record) this.put(event.record);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.#read();
    }, GATHER);
  }

  /** Shows a job as it is now, if it is among the rows. */
  put(job: Job): void {
    const index = this.indexOf(job.id);
    if (index < 0) return;
    const at = Math.floor(index / PAGE);
    this.pages = this.pages.map((page, number) =>
      number === at ? { ...page, items: page.items.map((one) => (one.id === job.id ? job : one)) } : page,
    );
  }

  // One reading at a time: the pages in sight, and those that are still missing up to them.
  async #read(): Promise<void> {
    if (this.#isReading) {
      this.#isDue = true;
      return;
    }
    this.#isReading = true;
    do {
      this.#isDue = false;
      try {
        await this.#readPages();
        this.error = null;
      } catch (error) {
        this.error = wordsOf(error);
      }
    } while (this.#isDue);
    this.#isReading = false;
  }

  async #readPages(): Promise<void> {
    if (this.#query === null) return;
    const turn = this.#turn;
    const isNew = this.isChanging;
    let at = isNew ? 0 : Math.min(Math.floor(this.#wanted.first / PAGE), Math.max(0, this.pages.length - 1));
    let held = isNew ? [] : this.pages.slice();
    for (;;) {
      const cursor = at === 0 ? null : (held[at - 1]?.next ?? null);
      if (at > 0 && cursor === null) break;
      const page = await this.#page(cursor);
      if (turn !== this.#turn) {
        this.#isDue = true;
        return;
      }
      const isSame = held[at]?.next === page.cursor;
      held = [...held.slice(0, at), { cursor, items: page.items, next: page.cursor }, ...(isSame ? held.slice(at + 1) : [])];
      this.pages = held;
      this.total = page.total ?? held.reduce((sum, one) => sum + one.items.length, 0);
      this.isChanging = false;
      at += 1;
      if (at * PAGE > this.#wanted.last || page.cursor === null) break;
    }
  }

  #page(cursor: string | null): Promise<Page<Job>> {
    const from = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    return get<Page<Job>>(`api/v1/jobs?${this.#query}&limit=${PAGE}${from}`);
  }

  /** The ids of all jobs that match, on all pages. */
  async matching(): Promise<string[]> {
    const ids: string[] = [];
    let cursor: string | null = null;
    do {
      const from: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
      const page: Page<Job> = await get<Page<Job>>(`api/v1/jobs?${this.#query ?? ''}&limit=5000${from}`);
      ids.push(...page.items.map((job) => job.id));
      cursor = page.cursor;
    } while (cursor !== null);
    return ids;
  }
}

export const rows = new Rows();
