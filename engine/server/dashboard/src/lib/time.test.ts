import { describe, expect, it } from 'vitest';
import { DAY, fromField, HOUR, lastNight, MINUTE, parseSpan, SECOND, span, stamp, tickLabel, toField } from './time';

const units = { second: 's', minute: 'm', hour: 'h', day: 'd' };

describe('span', () => {
  it.each([
    [-5000, '0s'], [0, '0s'], [999, '1s'], [59.4 * SECOND, '59s'], [59.6 * SECOND, '1m'], [61 * SECOND, '1m 1s'], [HOUR - 1, '1h'],
    [3 * HOUR + 5 * MINUTE + 59 * SECOND, '3h 5m'], [2 * DAY + 4 * HOUR, '2d 4h'], [400 * DAY, '400d'],
  ])('tells %d milliseconds as %s', (millis, text) => {
    expect(span(millis, units)).toBe(text);
  });
});

describe('moments', () => {
  const at = '2026-11-28T03:31:07.120Z';
  it('are told in the zone that was chosen', () => {
    expect(stamp(at, 'utc')).toBe('2026-11-28 03:31:07');
    expect(stamp('nonsense', 'utc')).toBe('nonsense');
  });
  it('go into a field and come back', () => {
    expect(toField(at, 'utc')).toBe('2026-11-28T03:31');
    expect(fromField('2026-11-28T03:31', 'utc')).toBe('2026-11-28T03:31:00.000Z');
    expect(fromField(toField(at, 'local'), 'local')).toBe('2026-11-28T03:31:00.000Z');
    expect(fromField('', 'utc')).toBeNull();
    expect(fromField('nonsense', 'utc')).toBeNull();
  });
  it('are short on an axis', () => {
    expect(tickLabel(Date.parse(at), 10 * SECOND, 'utc')).toBe('03:31:07');
    expect(tickLabel(Date.parse(at), HOUR, 'utc')).toBe('03:31');
    expect(tickLabel(Date.parse('2026-11-28T00:00:00Z'), HOUR, 'utc')).toBe('11-28');
    expect(tickLabel(Date.parse(at), 2 * DAY, 'utc')).toBe('11-28');
  });
});

describe('parseSpan', () => {
  it.each([['15m', 15 * MINUTE], ['1h', HOUR], ['7d', 7 * DAY], ['', null], ['1w', null], ['-1h', null], ['99999h', null]])('reads %s', (text, millis) => {
    expect(parseSpan(text)).toBe(millis);
  });
});

describe('lastNight', () => {
  it.each([
    ['2026-11-28T01:00:00Z', '2026-11-27T18:00:00.000Z', '2026-11-28T01:00:00.000Z'],
    ['2026-11-28T07:30:00Z', '2026-11-27T18:00:00.000Z', '2026-11-28T07:30:00.000Z'],
    ['2026-11-28T09:00:00Z', '2026-11-27T18:00:00.000Z', '2026-11-28T08:00:00.000Z'],
    ['2026-11-28T23:00:00Z', '2026-11-27T18:00:00.000Z', '2026-11-28T08:00:00.000Z'],
    ['2026-12-01T09:00:00Z', '2026-11-30T18:00:00.000Z', '2026-12-01T08:00:00.000Z'],
  ])('at %s is from %s to %s', (now, from, to) => {
    const night = lastNight(Date.parse(now), 'utc');
    expect([new Date(night.from).toISOString(), new Date(night.to).toISOString()]).toEqual([from, to]);
  });
});
