import { describe, expect, it } from 'vitest';
import { engineQuery, readView, toggled, USUAL_COLUMNS, writeView } from './filters';

const view = (text: string) => readView(new URLSearchParams(text));

describe('a view', () => {
  it('is worst first unless said otherwise, and then has an empty address', () => {
    expect(engineQuery(view(''), 0)).toEqual({ filters: '', jobs: 'sort=severity' });
    expect(writeView(view('')).toString()).toBe('');
    expect(view('').columns).toEqual(USUAL_COLUMNS);
  });

  it('comes back from its address', () => {
    const text = 'severity=alerting&severity=failed&cluster=prod&label=team%3Dpayments&search=ord&within=1h&sort=-since&columns=job%2Cpolicy&dense=1';
    expect(writeView(view(text)).toString()).toBe(text);
  });

  it('forgets what it does not know', () => {
    expect(writeView(view('sort=colour&columns=nothing&within=soon&dense=2&severity=&evil=1')).toString()).toBe('');
  });

  it('always shows which job it is', () => {
    expect(view('columns=policy').columns).toEqual(['job', 'policy']);
  });

  it('asks the engine for a moment in the place of a span', () => {
    const asked = engineQuery(view('within=1h&state=FAILED'), Date.parse('2026-11-28T04:00:00Z'));
    expect(asked.filters).toBe('state=FAILED&since=2026-11-28T03%3A00%3A00.000Z');
    expect(asked.jobs).toBe(`${asked.filters}&sort=severity`);
  });

  it('turns a value on and off', () => {
    const on = toggled(view('state=FAILED'), 'state', 'LOST');
    expect(writeView(on).toString()).toBe('state=FAILED&state=LOST');
    expect(writeView(toggled(toggled(on, 'state', 'LOST'), 'state', 'FAILED')).toString()).toBe('');
  });
});
