// The list of the page of events: what the engine answers to one question, and how many entries there are by now that it lacks. It
// never has rows of another question, nor of another history.

import { untrack } from 'svelte';
import { isNotServed, wordsOf } from '../api/client';
import { readHistory } from '../api/history';
import type { HistoryItem, Unreadable } from '../api/types';
import { takesEvent } from '../lib/events';
import { AGAIN } from '../live/polled.svelte';
import { live } from '../live/live.svelte';

const PAGE = 200;

export class EventList {
  items = $state.raw<HistoryItem[]>([]);
  unreadable = $state.raw<Unreadable[]>([]);
  /** Whether older entries may have been dropped. */
  isDropped = $state(false);
  /** Where it goes on; null if that was all. */
  cursor = $state<string | null>(null);
  /** Whether the list is what the engine answered to the present question. */
  hasRead = $state(false);
  isReading = $state(true);
  isMissing = $state(false);
  error = $state('');
  /** How many entries the list would have beside those that it has. */
  newer = $state(0);

  /** Which those are, as far as was heard. */
  #heard: number[] = [];
  #asked = new URLSearchParams();
  #question: () => string = () => '';
  /** The question as it was put; a span of time ends when it is. */
  #put = '';
  #isPaged = false;
  #turn = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Asks something. `asked`: which entries are meant; `question`: the same as the engine is asked for it. */
  show(asked: URLSearchParams, question: () => string): void {
    this.#asked = asked;
    this.#question = question;
    untrack(() => this.#begin());
  }

  /** Keeps it until what is returned is called. */
  run(): () => void {
    const quiet = live.listen({
      // The list does not move under the reader: it is said that there is more.
      event: (event) => {
        if (takesEvent(this.#asked, event)) this.newer = this.#heard.push(event.sequence);
      },
      renew: (isGapless) => {
        if (this.items.length === 0 || !this.hasRead || !(isGapless || this.#isPaged)) void this.#read(false);
      },
      reset: () => this.#begin(),
    });
    return () => {
      quiet();
      this.#turn += 1;
      clearTimeout(this.#timer);
    };
  }

  /** Reads the newest entries, or those behind the last one of the list. */
  again = (): void => void this.#read(false);
  more = (): void => void this.#read(true);

  #begin(): void {
    this.hasRead = false;
    this.items = [];
    this.unreadable = [];
    this.cursor = null;
    this.#keep(Infinity);
    void this.#read(false);
  }

  /** Keeps those that are newer. */
  #keep(than: number): void {
    this.#heard = this.#heard.filter((sequence) => sequence > than);
    this.newer = this.#heard.length;
  }

  async #read(isMore: boolean): Promise<void> {
    const mine = ++this.#turn;
    clearTimeout(this.#timer);
    this.isReading = true;
    if (!isMore) this.#put = this.#question();
    try {
      const page = await readHistory(this.#put, PAGE, isMore ? this.cursor : null);
      if (mine !== this.#turn) return;
      this.items = [...(isMore ? this.items : []), ...page.items];
      this.unreadable = [...(isMore ? this.unreadable : []), ...page.unreadable];
      this.isDropped = page.droppedUntil > 0;
      this.cursor = page.cursor;
      this.#isPaged = isMore;
      this.hasRead = true;
      this.isMissing = false;
      this.error = '';
      // What came meanwhile may be among them, or not.
      if (!isMore) this.#keep([...this.items, ...this.unreadable].reduce((newest, one) => Math.max(newest, one.sequence), 0));
    } catch (why) {
      if (mine !== this.#turn) return;
      this.isMissing = isNotServed(why);
      this.error = this.isMissing ? '' : wordsOf(why);
      if (!this.isMissing) this.#later(isMore);
    }
    this.isReading = false;
  }

  /** Tries again what failed, as soon as somebody looks and the engine is there. */
  #later(isMore: boolean): void {
    this.#timer = setTimeout(() => {
      if (document.hidden || live.link !== 'live') this.#later(isMore);
      else void this.#read(isMore);
    }, AGAIN);
  }
}
