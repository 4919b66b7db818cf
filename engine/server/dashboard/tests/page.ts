// What every test of a page watches: an error in the page, a refusal by its Content-Security-Policy, a request to anybody else.

import { test as base, type Page } from '@playwright/test';
import { Mock } from './mock/server';
import type { Job } from '../src/api/types';

export { expect } from '@playwright/test';

interface Fixtures {
  /** Starts a mock engine over those jobs, and opens the page. */
  open: (jobs: Job[], hash?: string, prepare?: (mock: Mock) => void) => Promise<Mock>;
}

export const test = base.extend<Fixtures & { watched: undefined }>({
  watched: [
    async ({ page }, use) => {
      const wrong: string[] = [];
      page.on('pageerror', (error) => wrong.push(`error: ${error.message}`));
      page.on('console', (message) => {
        if (message.type() === 'error' && /Content Security Policy|Refused to/.test(message.text())) wrong.push(message.text());
      });
      page.on('request', (request) => {
        const host = new URL(request.url()).hostname;
        if (host !== '127.0.0.1' && !request.url().startsWith('blob:')) wrong.push(`request to ${host}`);
      });
      await use(undefined);
      if (wrong.length > 0) throw new Error(wrong.join('\n'));
    },
    { auto: true },
  ],
  open: async ({ page }, use) => {
    const mocks: Mock[] = [];
    await use(async (jobs, hash = '', prepare = () => {}) => {
      const mock = new Mock(jobs);
      prepare(mock);
      mocks.push(await mock.start());
      await page.goto(mock.address + hash);
      return mock;
    });
    for (const mock of mocks) await mock.stop();
  },
});

export const rowIds = (page: Page): Promise<(string | null)[]> => page.locator('tbody tr[data-id]').evaluateAll((rows) => rows.map((row) => row.getAttribute('data-id')));

/** The query behind the `#`. */
export const queryOf = (page: Page): URLSearchParams => new URLSearchParams(new URL(page.url()).hash.split('?')[1] ?? '');
