// 10,000 jobs, measured against 100 on the same machine in the same browser: bounds are ratios, since seconds are the machine's.

import type { CDPSession, Page } from '@playwright/test';
import { order } from './mock/query';
import { fleet, job } from './mock/world';
import { expect, rowIds, test } from './page';

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
  // How often it is read anew is a matter of the machine's speed; that no other is read is not.
  expect([...new Set(first.map((one) => one.path))], 'the first screen needs one page').toEqual(['/api/v1/jobs?sort=severity&limit=200']);
  const rows = page.locator('tbody tr[data-id]');
  expect(await rows.count()).toBeLessThan(60);
  const nodes = await page.locator('*').count();
  expect(nodes).toBeLessThan(1.5 * few.nodes);
  const share = await late(page, 200);
  expect(share, 'frames that are late while it is scrolled').toBeLessThan(few.late + 0.15);

  // The end, far beyond what was read, is one page from there. What lies between is read by strides, and the rows drawn are no more.
  const asks = () => mock.asked.filter((one) => one.path.startsWith('/api/v1/jobs?'));
  const jump = async (row: number): Promise<{ asked: string[]; millis: number }> => {
    const known = new Set(asks().map((one) => one.path));
    const begun = Date.now();
    await page.evaluate((share) => window.scrollTo(0, share * document.documentElement.scrollHeight), (row - 1) / 10_000);
    await expect(page.locator(`tr[aria-rowindex="${row}"][data-id]`)).toBeInViewport({ timeout: 60_000 });
    await expect(page.locator('tr.waiting')).toHaveCount(0);
    // How often a page is read anew meanwhile is a matter of the machine's speed; which are read is not.
    const paths = new Set(asks().map((one) => one.path).filter((path) => !known.has(path)));
    return { asked: [...paths], millis: Date.now() - begun };
  };
  const ends = await jump(10_001);
  await expect(page.locator('tr[aria-rowindex="10001"] a')).toBeVisible();
  expect(ends.asked.length, ends.asked.join('\n')).toBeLessThanOrEqual(2);
  const last = [...mock.jobs.values()].sort(order('severity')).at(-1);
  await expect(page.locator('tr[aria-rowindex="10001"]')).toHaveAttribute('data-id', last?.id ?? '');
  const middle = await jump(4500);
  expect(middle.asked.length, middle.asked.join('\n')).toBeLessThanOrEqual(7);
  await jump(7000);
  console.log(`to the end: ${ends.asked.length} pages, ${ends.millis} ms; to the middle: ${middle.asked.length} pages, ${middle.millis} ms`);
  await expect(page.getByRole('status').filter({ hasText: '10,000 jobs' })).toBeVisible();
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

test('the rows at the end are kept current and in order, too', async ({ page, open }) => {
  const jobs = Array.from({ length: 1000 }, (_, at) => job(`prod/a/job-${String(at).padStart(4, '0')}`));
  const mock = await open(jobs, '#/jobs?sort=id');
  await expect(page.locator('tbody tr[data-id]').first()).toBeVisible();
  await page.evaluate(() => window.scrollTo(0, document.documentElement.scrollHeight));
  const last = page.locator('tr[aria-rowindex="1001"]');
  await expect(last).toHaveAttribute('data-id', 'prod/a/job-0999');
  mock.commit({ ...(jobs[998] as (typeof jobs)[0]), state: 'FAILED', reason: { code: 'Bad', message: 'it broke' } }, 'transition');
  await expect(page.locator('tr[data-id="prod/a/job-0998"]')).toContainText('it broke');
  mock.forget('prod/a/job-0999');
  await expect(page.locator('tr[aria-rowindex="1000"]')).toHaveAttribute('data-id', 'prod/a/job-0998');
  await expect(page.locator('tr[data-id="prod/a/job-0999"]')).toHaveCount(0);
  const ids = await rowIds(page);
  expect(ids).toEqual([...ids].sort());
  // Where what was read from both ends meets, no row is twice and none is missing.
  await page.evaluate(() => window.scrollTo(0, 0.5 * document.documentElement.scrollHeight));
  await expect(page.locator('tr.waiting')).toHaveCount(0);
  const middle = await page.locator('tbody tr[data-id]').evaluateAll((rows) => rows.map((row) => [Number(row.getAttribute('aria-rowindex')), row.getAttribute('data-id')]));
  for (const [index, id] of middle) expect(id).toBe(`prod/a/job-${String(Number(index) - 2).padStart(4, '0')}`);
});
