import { describe, expect, it } from 'vitest';
import type { StreamEvent } from '../api/types';
import { job } from '../../tests/mock/world';
import { takesEvent } from './events';

const event = (more: Partial<StreamEvent>): StreamEvent => ({ job: 'prod/a/one', sequence: 1, store: 's', at: '2026-11-28T04:00:00Z', body: null, record: job('prod/a/one'), ...more });
const takes = (query: string, more: Partial<StreamEvent>): boolean => takesEvent(new URLSearchParams(query), event(more));

describe('takesEvent', () => {
  it('goes by the kind that the event says', () => {
    expect(takes('kind=transition,alert,call,forgotten', { kind: 'call' })).toBe(true);
    expect(takes('kind=transition,alert,call,forgotten', { kind: 'update' })).toBe(false);
    expect(takes('', { kind: 'update' })).toBe(true);
  });

  it('sees the kind of what an earlier engine tells', () => {
    const { reason } = job('x');
    expect(takes('kind=forgotten', { record: null })).toBe(true);
    expect(takes('kind=update', {})).toBe(true);
    expect(takes('kind=alert', { body: { alert: 'A', job: 'prod/a/one', scope: 'job', status: 'firing', since: '', message: '' } })).toBe(true);
    expect(takes('kind=transition', { body: { sequence: 1, at: '', from: 'RUNNING', to: 'FAILED', confidence: 'confirmed', reason, attempt: 1, policy: '' } })).toBe(true);
  });

  it('takes what does not read for any kind, as the list has a row for it', () => {
    expect(takes('kind=transition', { why: 'damaged' })).toBe(true);
    expect(takes('kind=transition&job=prod%2Fa%2Ftwo', { why: 'damaged' })).toBe(false);
  });

  it.each([
    ['job=prod%2Fa%2Fone', true], ['job=prod%2Fa%2Ftwo', false], ['cluster=prod', true], ['cluster=staging&cluster=prod', true], ['cluster=staging', false],
    ['namespace=a,b', true], ['namespace=b', false], ['until=2026-11-28T03:00:00Z', false], ['until=2026-11-28T04:00:00Z', false], ['until=2026-11-28T04:00:01Z', true],
    ['since=2026-11-28T04:00:01Z', false], ['since=2026-11-28T03:00:00Z', true],
  ])('goes by %s', (query, isTaken) => {
    expect(takes(query, { kind: 'transition' })).toBe(isTaken);
  });
});
