// 10,000 jobs, measured against 100 on the same machine in the same browser: bounds are ratios, since seconds are the machine's.

import type { CDPSession, Page } from '@playwright/test';
import { fleet, job } from './mock/world';
import { expect, test } from './page';

async function heap(page: Page, session: CDPSession): Promise<number> {
  await session.send('HeapProfiler.collectGarbage');
  return page.evaluate(() => (performance as unknown as { memory: { usedJSHeapSize: number } }).memory.usedJSHeapSize);
}

/** Scrolls by steps, a frame each: the share of frames that took more than three times as long as the screen's own. */
const late = (page: Page, steps: number): Promise<number> =>
  page.evaluate(async (count) => {
    const frame = () => new Promise<number>((resolve) => { requestAnimationFrame(resolve); });
    const still: number[] = [];
    for (let at = 0, last = await frame(); at < 20; at += 1) {
      const now = await frame();
      still.push(now - last);
      last = now;
    }
    const usual = still.sort((a, b) => a - b)[10] ?? 16;
    let over = 0;
    let last = await frame();
    for (let at = 0; at < count; at += 1) {
      // Down and up again, since 100 rows are soon at their end.
      window.scrollBy(0, at % 40 < 20 ? 120 : -120);
      const now = await frame();
      if (now - last > 3 * usual) over += 1;
      last = now;
    }
    return over / count;
  }, steps);

test('10,000 jobs are drawn, scrolled, filtered and kept like 100', async ({ page, open, context }) => {
  test.setTimeout(180_000);
  const session = await context.newCDPSession(page);
  const small = await open(fleet(100));
  await expect(page.locator('tbody tr[data-id]').first()).toBeVisible();
  const few = { nodes: await page.locator('*').count(), heap: await heap(page, session), late: await late(page, 200) };
  await small.stop();

  const mock = await open(fleet(10_000));
  await expect(page.getByRole('status').filter({ hasText: '10,000 jobs' })).toBeVisible();
  const first = mock.asked.filter((one) => one.path.startsWith('/api/v1/jobs?'));
  expect(first.length, 'the first screen needs one page').toBeLessThanOrEqual(2);
  const rows = page.locator('tbody tr[data-id]');
  expect(await rows.count()).toBeLessThan(60);
  const nodes = await page.locator('*').count();
  expect(nodes).toBeLessThan(1.5 * few.nodes);
  const share = await late(page, 200);
  expect(share, 'frames that are late while it is scrolled').toBeLessThan(few.late + 0.15);

  // The end, far beyond what was read: all pages are read on the way there, and the rows drawn are no more.
  await page.evaluate(() => window.scrollTo(0, document.documentElement.scrollHeight));
  await expect(page.locator('tr[aria-rowindex="10001"] a')).toBeVisible({ timeout: 60_000 });
  expect(await rows.count()).toBeLessThan(60);
  const held = await heap(page, session);
  const perRow = (held - few.heap) / 10_000;
  console.log(`100 and 10,000 jobs: ${few.nodes} and ${nodes} elements; ${few.heap >> 20} and ${held >> 20} MiB of heap; ${few.late} and ${share} of the frames late`);
  expect(perRow, 'bytes of heap for each job, with its whole record').toBeLessThan(3 * 1024);

  // A filter is one question to the engine, whatever was read before.
  await page.evaluate(() => window.scrollTo(0, 0));
  const before = mock.asked.length;
  await page.getByRole('button', { name: /^Failed/ }).click();
  await expect(page.locator('tbody tr[data-id][data-severity="failed"]').first()).toBeVisible();
  await expect(page.locator('tbody tr[data-id]:not([data-severity="failed"])')).toHaveCount(0);
  expect(mock.asked.slice(before).filter((one) => one.path.includes('jobs?severity=failed')).length).toBeLessThanOrEqual(2);
});

test('a storm of events asks for no more than a page now and then', async ({ page, open }) => {
  const jobs = fleet(2000);
  const mock = await open(jobs);
  await expect(page.locator('tbody tr[data-id]').first()).toBeVisible();
  const before = mock.asked.length;
  for (let at = 0; at < 3000; at += 1) mock.commit({ ...(jobs[at % 2000] as (typeof jobs)[0]), attempt: at });
  mock.commit(job('prod/zz/last', { state: 'FAILED' }), 'transition');
  await expect(page.locator('tr[data-id="prod/zz/last"]')).toBeVisible();
  expect(mock.asked.length - before).toBeLessThan(60);
});
