// The rows of the fleet's table: pages of the engine's list, read as one scrolls, and kept current.
//
// They are read from both ends, whichever is nearer: from the end with the sort turned round, which is the same order backwards. So
// whoever jumps to the end waits for one page, not for all before it.

import { untrack } from 'svelte';
import { get, wordsOf } from '../api/client';
import { readJobs } from '../api/jobs';
import type { Job, JobPage, StreamEvent } from '../api/types';
import { live } from '../live/live.svelte';
import { begin, behind, type Chain, indexIn, lengthOf, rowOf, type Span, taken, withJob } from './chain';

/** How long events are gathered before the rows in sight are asked for anew; and how often that is done without any. */
const GATHER = 700;
const RENEW = 5000;
const RENEW_LARGE = 15_000;
const LARGE = 2000;

/** The same question with the order turned round. */
export function turned(query: string): string {
  const words = new URLSearchParams(query);
  const sort = words.get('sort') ?? 'id';
  words.set('sort', sort.startsWith('-') ? sort.slice(1) : `-${sort}`);
  return words.toString();
}

type End = 'head' | 'tail';

class Rows {
  head = $state.raw<Chain>([]);
  tail = $state.raw<Chain>([]);
  /** How many jobs match, on all pages; null while nothing was read. */
  total = $state<number | null>(null);
  error = $state<string | null>(null);
  /** Whether what is shown answers an earlier question: until the answer is there, or does not come. */
  isChanging = $state(false);

  #query: string | null = null;
  #wanted: Span = { first: 0, last: 0 };
  #turn = 0;
  /** Whether what was read is of an earlier question. */
  #isOld = false;
  #isReading = false;
  #isDue = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  #first = $derived(lengthOf(this.head));
  /** From which row on the rows are those that were read from the end. */
  #second = $derived(Math.max(this.#first, (this.total ?? 0) - lengthOf(this.tail)));
  loaded = $derived(this.#first + (this.total ?? 0) - this.#second);

  at(index: number): Job | undefined {
    return index < this.#second ? rowOf(this.head, index) : rowOf(this.tail, (this.total ?? 0) - 1 - index);
  }

  /** All rows that were read so far. */
  all(): Job[] {
    const jobs = new Map<string, Job>();
    for (const page of [...this.head, ...this.tail]) for (const job of page.items) jobs.set(job.id, job);
    return [...jobs.values()];
  }

  indexOf(id: string): number {
    const index = indexIn(this.head, id);
    if (index >= 0) return index;
    const fromEnd = indexIn(this.tail, id);
    return fromEnd < 0 ? -1 : (this.total ?? 0) - 1 - fromEnd;
  }

  /**
   * Asks another question. What is shown stays until the answer is there. `isMoved`: it is the same question at a later time, so one
   * stays where one is.
   */
  show(query: string, isMoved = false): void {
    if (query === this.#query) return;
    this.#query = query;
    this.#turn += 1;
    this.#isOld = true;
    if (!isMoved) {
      this.#wanted = { first: 0, last: 0 };
      this.isChanging = true;
    }
    untrack(() => void this.#read());
  }

  /** The engine has another history: the rows out of sight are of the one before, too. */
  #reset(): void {
    this.#turn += 1;
    this.#isOld = true;
    this.isChanging = true;
  }

  /** Says which rows are in sight. */
  see(first: number, last: number): void {
    const isSame = first === this.#wanted.first && last === this.#wanted.last;
    this.#wanted = { first, last };
    const isGap = last >= this.#first && first < this.#second;
    const isWhole = this.head.at(-1)?.next === null || this.tail.at(-1)?.next === null;
    if (!isGap || isWhole) return;
    // What is being read goes by what is wanted at each page.
    if (!this.#isReading) untrack(() => void this.#read());
    else if (!isSame) this.#isDue = true;
  }

  /** Keeps the rows current until what is returned is called. */
  run(): () => void {
    const quiet = live.listen({ event: (event) => this.#heard(event), renew: () => void this.#read(), reset: () => this.#reset() });
    let waited = 0;
    const interval = setInterval(() => {
      waited += 1000;
      if (document.hidden || this.#isReading || live.link !== 'live' || waited < ((this.total ?? 0) > LARGE ? RENEW_LARGE : RENEW)) return;
      waited = 0;
      void this.#read();
    }, 1000);
    // What was asked a moment ago is on its way.
    if (!this.#isReading) untrack(() => void this.#read());
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
    if (this.indexOf(job.id) < 0) return;
    this.head = withJob(this.head, job);
    this.tail = withJob(this.tail, job);
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
        if (this.isChanging) this.#clear();
      }
    } while (this.#isDue);
    this.#isReading = false;
  }

  /** Rather no rows than those of another question. */
  #clear(): void {
    this.head = [];
    this.tail = [];
    this.total = null;
  }

  /** From which end the rows in sight are nearer. */
  #nearer(): End {
    const { first, last } = this.#wanted;
    const total = this.total ?? 0;
    const [head, tail] = this.#isOld ? [0, total] : [this.#first, this.#second];
    if (first < head || total === 0) return 'head';
    return first >= tail || tail - last < first - head ? 'tail' : 'head';
  }

  /** The rows in sight, as that end counts them. */
  #wantedFrom(end: End): Span {
    if (end === 'head') return this.#wanted;
    const last = (this.total ?? 0) - 1;
    return { first: Math.max(0, last - this.#wanted.last), last: Math.max(0, last - this.#wanted.first) };
  }

  async #readPages(): Promise<void> {
    if (this.#query === null) return;
    const turn = this.#turn;
    const end = this.#nearer();
    let chain: Chain = this.#isOld ? [] : this[end];
    // Where more rows were in sight than there are now, the last page is read anew.
    let step = begin(chain, this.#wantedFrom(end)) ?? begin(chain, { first: lengthOf(chain) - 1, last: lengthOf(chain) });
    while (step !== null) {
      const page = await this.#page(end, step.cursor, step.limit);
      if (turn !== this.#turn) {
        this.#isDue = true;
        return;
      }
      chain = taken(chain, step, page);
      if (this.#isOld) this[end === 'head' ? 'tail' : 'head'] = [];
      this[end] = chain;
      this.total = page.total;
      this.#isOld = false;
      this.isChanging = false;
      if (this.#nearer() !== end) {
        this.#isDue = true;
        return;
      }
      step = behind(chain, step.at + 1, this.#wantedFrom(end));
    }
  }

  #page(end: End, cursor: string | null, limit: number): Promise<JobPage> {
    const from = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const query = this.#query ?? '';
    return get<JobPage>(`api/v1/jobs?${end === 'head' ? query : turned(query)}&limit=${limit}${from}`);
  }

  /** The ids of all jobs that match, on all pages. */
  async matching(): Promise<string[]> {
    return (await readJobs(this.#query ?? '')).map((job) => job.id);
  }
}

export const rows = new Rows();
