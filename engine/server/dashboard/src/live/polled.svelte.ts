// Something that is asked for now and then, and anew whenever events say so. Polls and confirmations are no events.

import { untrack } from 'svelte';
import { getIfServed, wordsOf } from '../api/client';
import type { StreamEvent } from '../api/types';
import { live } from './live.svelte';

/** How long events are gathered before anything is asked. */
const GATHER = 300;
/** How long after a failure it is tried again. Milliseconds. */
export const AGAIN = 5000;

/** What is asked, whether for fewer rows or more, now or later. */
const meant = (path: string): string => path.replaceAll(/[?&](limit|since)=[^&\s]*/g, '');

export class Polled<T> {
  value = $state.raw<T | null>(null);
  error = $state<string | null>(null);
  /** When was asked what is answered by `value`, milliseconds by our clock. */
  askedAt = $state(0);
  /** Whether this engine has no such thing. */
  isMissing = $state(false);
  #path: () => string | null;
  #concerns: (event: StreamEvent) => boolean;
  #every: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isAsking = false;
  #isDue = false;
  /** How many effects have it asked. */
  #runs = 0;
  #asked = '';
  /** What `value` is an answer to. */
  #answered = '';
  #load: (path: string) => Promise<T | null>;

  /**
   * `path` may change; null: nothing is asked. `concerns`: whether an event is a reason to ask anew. `load`: null where the
   * engine has no such thing. Milliseconds.
   */
  constructor(
    path: () => string | null,
    every: number,
    concerns: (event: StreamEvent) => boolean = () => true,
    load: (path: string) => Promise<T | null> = (asked) => getIfServed<T>(asked),
  ) {
    this.#path = path;
    this.#every = every;
    this.#concerns = concerns;
    this.#load = load;
  }

  /** Asks until what is returned is called; to be returned from an effect. */
  run(): () => void {
    const quiet = live.listen({
      event: (event) => {
        if (this.#concerns(event)) this.#soon();
      },
      renew: () => void this.refresh(),
      // Nothing of the engine's other history is an answer.
      reset: () => { this.#answered = ''; },
    });
    const step = Math.min(this.#every, AGAIN);
    const interval = setInterval(() => {
      const isTime = this.error !== null || Date.now() - this.askedAt >= this.#every - step / 2;
      if (isTime && !document.hidden && live.link === 'live') void this.refresh();
    }, step);
    this.#runs += 1;
    // Whoever runs it depends on what they say, not on what is asked here.
    untrack(() => void this.refresh());
    return () => {
      this.#runs -= 1;
      quiet();
      clearInterval(interval);
      clearTimeout(this.#timer);
      this.#timer = undefined;
    };
  }

  #soon(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.refresh();
    }, GATHER);
  }

  async refresh(): Promise<void> {
    if (this.#isAsking) {
      this.#isDue = true;
      return;
    }
    this.#isAsking = true;
    do {
      this.#isDue = false;
      await this.#ask();
    } while (this.#isDue);
    this.#isAsking = false;
  }

  async #ask(): Promise<void> {
    // A page that was left asks nothing any more, and has no path.
    if (this.#runs === 0) return;
    const path = this.#path();
    if (path === null) return;
    // What was an answer to another question is none to this one.
    if (meant(path).split('?')[0] !== meant(this.#asked).split('?')[0]) this.value = null;
    this.#asked = path;
    const asked = Date.now();
    try {
      const value = await this.#load(path);
      if (this.#runs === 0) return;
      if (this.#path() !== path) {
        this.#isDue = true;
        return;
      }
      this.value = value;
      this.askedAt = asked;
      this.#answered = meant(path);
      this.isMissing = value === null;
      this.error = null;
    } catch (error) {
      this.error = wordsOf(error);
      // Rather none than one to another question.
      if (this.#answered !== meant(path)) this.value = null;
    }
  }
}
