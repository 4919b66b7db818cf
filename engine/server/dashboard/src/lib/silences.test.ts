import { describe, expect, it } from 'vitest';
import { job } from '../../tests/mock/world';
import { holdersOf, mayHold, placesOf, waitingOf } from './silences';

const since = '2026-11-28T03:31:07Z';
const alert = (name: string, scope: 'job' | 'cluster' | 'policy') => ({ alert: name, scope, since, message: '' });
const silence = (name: string) => ({ alert: name, since, until: since });
const dark = alert('Dark', 'cluster');

describe('placesOf', () => {
  it('has one job of each cluster for what its jobs share, and each job for what is its own', () => {
    const jobs = [job('a/x/1', { alerts: [dark] }), job('a/x/2', { alerts: [dark] }), job('b/x/3', { alerts: [dark] }), job('b/x/4')];
    expect(placesOf(jobs, 'Dark')).toEqual({ ids: ['a/x/1', 'b/x/3'], isShared: true });
    expect(placesOf(jobs.map((one) => ({ ...one, alerts: [alert('Dark', 'job')] })), 'Dark')).toEqual({ ids: jobs.map((one) => one.id), isShared: false });
    const ofPolicy = alert('Dark', 'policy');
    expect(placesOf([job('a/x/1', { alerts: [ofPolicy] }), job('b/x/2', { alerts: [ofPolicy] }), job('b/x/3', { alerts: [ofPolicy], policy: 'other' })], 'Dark').ids).toEqual(['a/x/1', 'b/x/3']);
  });

  it('takes the job that has a silence of it already', () => {
    expect(placesOf([job('a/x/1', { alerts: [dark] }), job('a/x/2', { alerts: [dark], silences: [silence('Dark')] })], 'Dark').ids).toEqual(['a/x/2']);
  });
});

describe('holdersOf', () => {
  const jobs = [job('a/x/1', { silences: [silence('Dark')] }), job('a/x/2', { silences: [silence('Other')] }), job('a/x/3', { silences: [silence('Dark')], policy: 'q' }), job('b/x/4', { silences: [silence('Dark')] })];
  it('finds all jobs of the cluster or the policy that have a silence of it, with the alert or without', () => {
    expect(holdersOf(jobs, { alert: 'Dark', scope: 'cluster', cluster: 'a' })).toEqual(['a/x/1', 'a/x/3']);
    expect(holdersOf(jobs, { alert: 'Dark', scope: 'policy', cluster: 'a', policy: 'conservative' })).toEqual(['a/x/1', 'b/x/4']);
    expect(mayHold({ alert: 'Dark', scope: 'cluster', cluster: 'a' })).toBe('cluster=a');
    expect(mayHold({ alert: 'Dark', scope: 'policy', cluster: 'a', policy: 'q' })).toBe('policy=q');
  });
});

describe('waitingOf', () => {
  it('has the silences of what stands neither at the job nor in its cluster or policy', () => {
    const ids = (jobs: Parameters<typeof waitingOf>[0]) => waitingOf(jobs).map((one) => `${one.job} ${one.silence.alert}`);
    const quiet = job('a/x/1', { silences: [silence('Dark'), silence('Mistyped')] });
    expect(ids([quiet])).toEqual(['a/x/1 Dark', 'a/x/1 Mistyped']);
    expect(ids([quiet, job('a/x/2', { alerts: [dark] })])).toEqual(['a/x/1 Mistyped']);
    expect(ids([quiet, job('b/x/2', { alerts: [dark] })])).toEqual(['a/x/1 Dark', 'a/x/1 Mistyped']);
    expect(ids([quiet, job('b/x/2', { alerts: [alert('Dark', 'policy')] })])).toEqual(['a/x/1 Mistyped']);
    expect(ids([quiet, job('a/x/2', { alerts: [alert('Dark', 'job')] })])).toEqual(['a/x/1 Dark', 'a/x/1 Mistyped']);
    expect(ids([job('a/x/1', { alerts: [alert('Dark', 'job')], silences: [silence('Dark')] })])).toEqual([]);
  });
});
