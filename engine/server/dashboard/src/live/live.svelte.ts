// Whether the page is the present. It follows the event stream for ever; when the engine is silent the page's clock stands still,
// so that no age and no countdown pretends that somebody looks.
//
// A tab that nobody sees follows nothing: a browser has six connections to an engine without TLS for all its tabs together, and six
// streams would keep every one of them from asking anything. When it is shown again it goes on behind the last event, and says as of
// when it is until then.

import { hooks, Refused } from '../api/client';
import { frames, openEvents, type Position } from '../api/events';
import type { StreamEvent } from '../api/types';

/** Something is asked for every 5 s. Events alone are no sign of life: what is on the page was asked for, but for the rows that they bring. */
const SILENT = 20_000;
const LONGEST_PAUSE = 10_000;
/** The header `Date` has whole seconds; a smaller difference of the clocks is none. */
const SAME_CLOCK = 2000;

export interface Listener {
  /** An event arrived. */
  event?(event: StreamEvent): void;
  /** All is to be read anew: the stream is open (again). `isGapless`: behind the last event that was had, so that none was missed. */
  renew?(isGapless: boolean): void;
  /** The engine has another history now, so nothing that was read is of it. `renew` is called next. */
  reset?(): void;
}

class Live {
  link = $state<'waiting' | 'live' | 'lost'>('waiting');
  heardAt = $state(Date.now());
  asksForToken = $state<'no' | 'yes' | 'wrong'>('no');
  #turn = $state(Date.now());
  #ahead = $state(0);
  #listeners = new Set<Listener>();
  #isFollowing = false;
  isHidden = $state(document.hidden);
  /** Whether the tab is hidden, or was and its stream is not open again: nothing of it is newer than `heardAt`. */
  isResuming = $state(document.hidden);
  #stream = new AbortController();
  #shown: () => void = () => {};
  /** Of the answers so far. */
  #store: string | null = null;

  /** Nothing on the page is newer than `heardAt`. */
  isStale = $derived(this.link === 'lost' || this.#turn - this.heardAt > SILENT);
  /** The time by the engine's clock, each second; it stands still while the page is not the present. */
  now = $derived((this.isStale ? this.heardAt : this.#turn) + this.#ahead);
  /** The time that goes on all the same, by our own clock. */
  passing = $derived(Math.max(this.#turn, this.heardAt));

  constructor() {
    hooks.heard = (ahead, store) => {
      // What a hidden tab asks for does not make all of it the present.
      if (!this.isResuming) this.heardAt = Date.now();
      if (ahead !== null) this.#ahead = Math.abs(ahead) > SAME_CLOCK ? ahead : 0;
      // A page that had no event yet is not told so by the stream.
      const isOther = store !== null && this.#store !== null && store !== this.#store;
      this.#store = store ?? this.#store;
      if (isOther) this.#reset();
    };
    hooks.token = (wasWrong) => {
      // What was on its way without a token says nothing new.
      if (wasWrong || this.asksForToken === 'no') this.asksForToken = wasWrong ? 'wrong' : 'yes';
    };
  }

  /** Listens until what is returned is called. */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  start(): void {
    setInterval(() => {
      if (!document.hidden) this.#turn = Date.now();
    }, 1000);
    document.addEventListener('visibilitychange', () => {
      this.#turn = Date.now();
      this.isHidden = document.hidden;
      if (document.hidden) this.#hide();
      else this.#shown();
    });
    void this.follow();
  }

  #hide(): void {
    this.isResuming = true;
    this.#stream.abort();
  }

  /** Until somebody sees the tab, or for so many milliseconds if somebody does. */
  #seen(pause: number): Promise<void> {
    return new Promise((resolve) => {
      this.#shown = resolve;
      // Nobody tries, so nothing is known to be down.
      if (document.hidden) this.link = 'waiting';
      else setTimeout(resolve, pause);
    });
  }

  /** Another token was entered: what is open was opened with the one before. */
  enter(): void {
    this.asksForToken = 'no';
    this.#stream.abort();
    void this.follow();
  }

  /** Follows the events until a token is asked for; every connection takes up where the last one ended. */
  async follow(): Promise<void> {
    if (this.#isFollowing) return;
    this.#isFollowing = true;
    let last: Position | null = null;
    for (let failures = 0; this.asksForToken === 'no'; failures += 1) {
      if (document.hidden) await this.#seen(0);
      const ending = new AbortController();
      this.#stream = ending;
      try {
        const response = await openEvents(last, ending.signal);
        failures = 0;
        this.link = 'live';
        this.isResuming = false;
        this.heardAt = Date.now();
        this.#turn = Date.now();
        // After the stream was opened, so that nothing falls in between.
        this.#renew(last !== null);
        if (response.body) last = await this.#read(response.body, last);
      } catch (error) {
        if (error instanceof Refused && error.status === 401) this.asksForToken = this.asksForToken === 'no' ? 'yes' : this.asksForToken;
      }
      const isHidden = ending.signal.aborted;
      ending.abort();
      this.#turn = Date.now();
      this.link = isHidden ? 'waiting' : 'lost';
      if (this.asksForToken !== 'no') break;
      if (isHidden) failures = -1;
      else await this.#seen(Math.min(LONGEST_PAUSE, 500 * 2 ** failures));
    }
    this.#isFollowing = false;
  }

  async #read(body: ReadableStream<Uint8Array>, begin: Position | null): Promise<Position | null> {
    let last = begin;
    try {
      for await (const { name, data } of frames(body)) {
        if (data === '') continue;
        if (name === 'reset') {
          last = null;
          this.#reset();
          continue;
        }
        const event = JSON.parse(data) as StreamEvent;
        last = { sequence: event.sequence, store: event.store, ...(event.at === undefined ? {} : { at: event.at }) };
        for (const listener of this.#listeners) listener.event?.(event);
      }
    } catch {
      // A connection that breaks off in the middle has told something all the same.
    }
    return last;
  }

  #renew(isGapless: boolean): void {
    for (const listener of this.#listeners) listener.renew?.(isGapless);
  }

  #reset(): void {
    for (const listener of this.#listeners) listener.reset?.();
    this.#renew(false);
  }
}

export const live = new Live();
