// Spans and moments, as people read them. Milliseconds throughout.

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

export interface Units {
  second: string;
  minute: string;
  hour: string;
  day: string;
}

/** The two largest units of a span: `4m 10s`, `3h 5m`, `2d 4h`. A negative span is none. */
export function span(millis: number, units: Units): string {
  const whole = Math.max(0, Math.round(millis / SECOND)) * SECOND;
  const steps: [number, string, number, string][] = [
    [DAY, units.day, HOUR, units.hour],
    [HOUR, units.hour, MINUTE, units.minute],
    [MINUTE, units.minute, SECOND, units.second],
  ];
  for (const [large, largeUnit, small, smallUnit] of steps) {
    if (whole < large) continue;
    const rest = Math.floor((whole % large) / small);
    const first = `${Math.floor(whole / large)}${largeUnit}`;
    return rest === 0 ? first : `${first} ${rest}${smallUnit}`;
  }
  return `${whole / SECOND}${units.second}`;
}

export type Zone = 'local' | 'utc';

const two = (n: number): string => String(n).padStart(2, '0');

/** `2026-11-28 03:31:07`, in UTC or in the browser's zone; the same form in every language, so that logs can be compared. */
export function stamp(at: string | number, zone: Zone): string {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return String(at);
  const [year, month, day, hour, minute, second] =
    zone === 'utc'
      ? [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate(), date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()]
      : [date.getFullYear(), date.getMonth(), date.getDate(), date.getHours(), date.getMinutes(), date.getSeconds()];
  return `${year}-${two(month + 1)}-${two(day)} ${two(hour)}:${two(minute)}:${two(second)}`;
}

/** The night that is not over yet, or the last one: from six in the evening until eight in the morning, at most until now. */
export function lastNight(now: number, zone: Zone): { from: number; to: number } {
  const date = new Date(now);
  const at = (days: number, hour: number): number =>
    zone === 'utc'
      ? Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate() + days, hour)
      : new Date(date.getFullYear(), date.getMonth(), date.getDate() + days, hour).getTime();
  return { from: at(-1, 18), to: Math.min(at(0, 8), now) };
}

/** The time of day alone. */
export const clock = (at: string | number, zone: Zone): string => stamp(at, zone).slice(11);

/** `03:31` or `11-28`: what a mark on an axis says, for marks so far apart. */
export function tickLabel(at: number, step: number, zone: Zone): string {
  const text = stamp(at, zone);
  if (step >= DAY) return text.slice(5, 10);
  const time = text.slice(11);
  if (step < MINUTE) return time;
  return time === '00:00:00' ? text.slice(5, 10) : time.slice(0, 5);
}

/** What `<input type="datetime-local">` holds, as a moment of that zone; null for none. */
export function fromField(value: string, zone: Zone): string | null {
  if (value === '') return null;
  const date = new Date(zone === 'utc' ? `${value}Z` : value);
  return Number.isNaN(date.getTime()) ? null : date.toISOString();
}

/** What `<input type="datetime-local">` shows for a moment. */
export const toField = (at: string | number, zone: Zone): string => stamp(at, zone).slice(0, 16).replace(' ', 'T');

/** `1h`, `7d` and the like in milliseconds; null if it is nothing like it. */
export function parseSpan(text: string): number | null {
  const found = /^(\d{1,4})([mhd])$/.exec(text);
  if (found === null) return null;
  const unit = found[2] === 'm' ? MINUTE : found[2] === 'h' ? HOUR : DAY;
  return Number(found[1]) * unit;
}
