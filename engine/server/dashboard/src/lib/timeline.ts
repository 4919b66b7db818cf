// A job's history as spans and marks: what the timeline draws, and what was known at a moment. Milliseconds since the epoch.

import type { Confidence, HistoryItem, IntentWord, Job, Reason, State, Unreadable } from '../api/types';
import { type AlertSpan, alertsOf } from './alerts';
import { DAY, HOUR, MINUTE, SECOND } from './time';

export interface StateSpan {
  from: number;
  to: number;
  state: State;
  confidence: Confidence;
  attempt: number;
  /** Since when the state stands: earlier than `from` where only its confidence changed. */
  since: number;
  /** What is told of why, the earliest first. Updates may give another reason, and do not tell it. */
  reasons: ToldReason[];
  /** Whether it still stands. */
  isOpen: boolean;
}

/** A reason, and when it is known to have been the one. */
export interface ToldReason {
  from: number;
  to: number;
  reason: Reason;
  /** Of the record that has it: entries of one commit have the same. */
  revision: number;
}

export interface Mark {
  at: number;
  kind: 'attempt' | 'intent' | 'forgotten';
  label: string;
  by: string | null;
}

/** A time of which an entry does not read. */
export interface Gap {
  from: number;
  to: number;
}

export interface Timeline {
  spans: StateSpan[];
  gaps: Gap[];
  alerts: AlertSpan[];
  marks: Mark[];
  /** The first moment anything is known of. */
  begin: number;
  end: number;
}

const INTENTS: readonly string[] = ['start', 'cancel', 'savepoint', 'none'] satisfies IntentWord[];

/** Builds it of entries in any order, of those that do not read, and of the job as it stands (null once it is forgotten). */
export function timelineOf(items: HistoryItem[], job: Job | null, now: number, unreadable: readonly Pick<Unreadable, 'sequence'>[] = []): Timeline {
  const ordered = [...items].sort((a, b) => a.sequence - b.sequence);
  const lost = unreadable.map((one) => one.sequence).sort((a, b) => a - b);
  const { spans, gaps } = statesOf(ordered, job, now, lost);
  const alerts = alertsOf(ordered, job, now, lost);
  const marks = marksOf(ordered, spans);
  const first = ordered[0];
  const begins = [...spans.map((one) => one.from), ...alerts.map((one) => one.from), ...(first ? [Date.parse(first.at)] : [])];
  return { spans, gaps, alerts, marks, begin: Math.min(now - SECOND, ...begins), end: now };
}

function statesOf(ordered: HistoryItem[], job: Job | null, now: number, unreadable: number[]): Pick<Timeline, 'spans' | 'gaps'> {
  const spans: StateSpan[] = [];
  const gaps: Gap[] = [];
  let before: number | null = null;
  /** Since when nothing is told: since the last entry in front of one that does not read. */
  let lost: number | null = null;
  const doubt = (at: number, revision: number): void => {
    const told = spans.at(-1)?.reasons.at(-1);
    if (told && revision !== told.revision) told.to = Math.min(told.to, at);
  };
  const close = (at: number): void => {
    const last = spans.at(-1);
    if (last?.isOpen) Object.assign(last, { to: Math.max(at, last.from), isOpen: false });
  };
  const find = (at: number): void => {
    if (lost !== null && at > lost) gaps.push({ from: lost, to: at });
    lost = null;
  };
  const lose = (sequence: number): void => {
    if (!(unreadable[0] !== undefined && unreadable[0] < sequence)) return;
    unreadable = unreadable.filter((one) => one >= sequence);
    // When it was decided stands in what does not read: somewhere between its neighbours.
    if (before === null) return;
    close(before);
    doubt(before, Infinity);
    lost ??= before;
  };
  // The record says since when its state stands: what does not read after that is no other state.
  const isVouched = (last: StateSpan | undefined): last is StateSpan => lost !== null && last !== undefined && job?.state === last.state && Date.parse(job.since) <= lost;
  for (const item of ordered) {
    const at = Date.parse(item.at);
    lose(item.sequence);
    before = at;
    const last = spans.at(-1);
    const { transition } = item;
    if (item.kind !== 'call') doubt(at, item.revision);
    if (transition) {
      close(at);
      find(at);
      const { to: state, confidence, attempt, reason } = transition;
      spans.push({ from: at, to: at, state, confidence, attempt, since: at, reasons: [{ from: at, to: Infinity, reason, revision: item.revision }], isOpen: true });
    } else if (item.kind === 'forgotten') {
      close(at);
      find(at);
    } else if (item.confidence && isVouched(last)) {
      find(at);
      spans.push({ ...last, from: at, to: at, confidence: item.confidence, reasons: [...last.reasons], isOpen: true });
    } else if (item.confidence && last?.isOpen && last.confidence !== item.confidence) {
      // The same state, known otherwise from here on.
      close(at);
      spans.push({ ...last, from: at, to: at, confidence: item.confidence, reasons: [...last.reasons], isOpen: true });
    }
  }
  lose(Infinity);
  const last = spans.at(-1);
  if (lost !== null && job !== null && !isVouched(last)) find(Math.min(now, Math.max(lost, Date.parse(job.since))));
  else if (lost !== null && isVouched(last) && last.confidence === job?.confidence) last.isOpen = true;
  else find(now);
  return { spans: withPresent(spans, job, now, gaps.at(-1)?.to ?? -Infinity, ordered.at(-1)), gaps };
}

/** What the record says now ends the row: its state or confidence may have changed without an entry that tells it. */
function withPresent(spans: StateSpan[], job: Job | null, now: number, found: number, newest: HistoryItem | undefined): StateSpan[] {
  const last = spans.at(-1);
  if (job === null) {
    if (last?.isOpen) last.to = now;
    return spans;
  }
  const { state, confidence, attempt, reason, revision } = job;
  const since = Math.min(now, Date.parse(job.since));
  // A record that is newer than what was read says nothing of the time before.
  const asOf = newest !== undefined && newest.revision >= revision ? Date.parse(newest.at) : now;
  const told: ToldReason = { from: newest === undefined ? since : asOf, to: Infinity, reason, revision };
  const present = { to: now, state, confidence, attempt, since, reasons: [told], isOpen: true };
  if (!last) return [{ from: since, ...present }];
  // Nothing that reads tells of it; or the job was forgotten, and seen again.
  if (!last.isOpen) return [...spans, { from: Math.max(last.to, since, found), ...present }];
  if (last.state !== state) {
    const from = since > last.from ? since : now;
    Object.assign(last, { to: from, isOpen: false });
    return [...spans, { from, ...present }];
  }
  last.to = now;
  if (last.confidence === confidence) {
    last.reasons = [...last.reasons, told];
    return spans;
  }
  const known = job.confirmedAt ? Date.parse(job.confirmedAt) : now;
  const from = Math.min(now, Math.max(last.from, known));
  last.to = from;
  last.isOpen = false;
  return [...spans, { from, ...present, since: last.since, reasons: [...last.reasons, told] }];
}

function marksOf(ordered: HistoryItem[], spans: StateSpan[]): Mark[] {
  const marks: Mark[] = [];
  let attempt: number | null = null;
  for (const span of spans) {
    if (attempt !== null && span.attempt > attempt) marks.push({ at: span.from, kind: 'attempt', label: String(span.attempt), by: null });
    attempt = span.attempt;
  }
  for (const { kind, at, call } of ordered) {
    if (kind === 'forgotten') marks.push({ at: Date.parse(at), kind: 'forgotten', label: '', by: null });
    if (call && INTENTS.includes(call.what)) {
      marks.push({ at: Date.parse(at), kind: 'intent', label: call.what, by: call.by ?? call.says ?? null });
    }
  }
  return marks.sort((a, b) => a.at - b.at);
}

export interface Known {
  /** The time of which an entry does not read, if that moment is in one. */
  gap: Gap | null;
  span: StateSpan | null;
  /** Why, as far as it is told; with `isThen` not set it is what was told last before that moment. */
  reason: (ToldReason & { isThen: boolean }) | null;
  alerts: AlertSpan[];
  intent: Mark | null;
}

/** What is told of why a state stood at a moment. */
export function reasonAt({ reasons }: StateSpan, at: number): Known['reason'] {
  const told = reasons.findLast((one) => one.from <= at);
  return told ? { ...told, isThen: at < told.to } : null;
}

/** What was known at a moment. */
export function knownAt(timeline: Timeline, at: number): Known {
  const covers = (span: { from: number; to: number; isOpen: boolean }): boolean => span.from <= at && (at < span.to || span.isOpen);
  const intent = timeline.marks.filter((mark) => mark.kind === 'intent' && mark.at <= at).at(-1) ?? null;
  const gap = timeline.gaps.find((one) => one.from < at && at < one.to) ?? null;
  const span = gap === null ? (timeline.spans.findLast(covers) ?? null) : null;
  return {
    gap,
    span,
    reason: span === null ? null : reasonAt(span, at),
    alerts: timeline.alerts.filter(covers),
    intent: intent?.label === 'none' ? null : intent,
  };
}

export interface Range {
  from: number;
  to: number;
}

/** The shortest range that can be looked at. */
const CLOSEST = 2 * SECOND;

/** Part of a range around a point, `factor` times as long, within bounds. */
export function zoomed(range: Range, around: number, factor: number, bounds: Range): Range {
  const length = Math.min(bounds.to - bounds.from, Math.max(CLOSEST, (range.to - range.from) * factor));
  const share = (around - range.from) / Math.max(1, range.to - range.from);
  return within({ from: around - share * length, to: around + (1 - share) * length }, bounds);
}

/** The range moved so that it lies within the bounds. */
export function within(range: Range, bounds: Range): Range {
  const length = Math.min(range.to - range.from, bounds.to - bounds.from);
  const from = Math.min(Math.max(range.from, bounds.from), bounds.to - length);
  return { from, to: from + length };
}

const STEPS = [
  SECOND, 2 * SECOND, 5 * SECOND, 10 * SECOND, 30 * SECOND,
  MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 30 * MINUTE,
  HOUR, 2 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 30 * DAY, 90 * DAY, 365 * DAY,
];

/** Round moments of a range, at most `most` of them, and how far apart they are. `offset`: the zone's distance to UTC. */
export function ticks(range: Range, most: number, offset = 0): { step: number; at: number[] } {
  const step = STEPS.find((one) => (range.to - range.from) / one <= most) ?? 365 * DAY;
  const at: number[] = [];
  for (let t = Math.ceil((range.from + offset) / step) * step - offset; t <= range.to; t += step) at.push(t);
  return { step, at };
}
