import { describe, expect, it } from 'vitest';
import { jobHref, parseRoute } from './route';

describe('parseRoute', () => {
  it.each([
    ['', 'fleet', null], ['#/', 'fleet', null], ['#/jobs', 'fleet', null], ['#/jobs?state=FAILED', 'fleet', null], ['#/alerts', 'alerts', null],
    ['#/jobs/local/default/orders', 'job', 'local/default/orders'],
    ['#/jobs/local/default/session/7c67cd9fd7997afa8b4ab0d724042cb5', 'job', 'local/default/session/7c67cd9fd7997afa8b4ab0d724042cb5'],
    ['#/jobs/-/-/orders?at=2026-11-28T03%3A31%3A07Z', 'job', '-/-/orders'],
    ['#local/default/orders', 'job', 'local/default/orders'], // as the first dashboard linked
    ['#/nothing', 'nowhere', null], ['#/alerts/more', 'nowhere', null], ['#/jobs/local/default', 'nowhere', null],
  ])('reads %s', (hash, page, id) => {
    expect(parseRoute(hash)).toMatchObject({ page, id });
  });

  it('gives back what a link names, whatever is in it', () => {
    for (const id of ['a/b/c', 'l/ns/<img src=x onerror=alert(1)>', 'l/ns/ü & ?#%', 'l/ns/名前', 'l/ns/100%']) {
      expect(parseRoute(jobHref(id)).id).toBe(id);
    }
  });

  it('takes what does not decode as it is', () => {
    expect(parseRoute('#/jobs/l/ns/100%').id).toBe('l/ns/100%');
  });
});
