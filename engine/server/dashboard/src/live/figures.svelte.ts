// `/metrics`, read as long as a page shows something of it.

import { ask, Refused } from '../api/client';
import { parseMetrics, type Sample } from '../lib/metrics';
import { Polled } from './polled.svelte';

async function read(path: string): Promise<Sample[] | null> {
  try {
    return parseMetrics(await (await ask(path, { accept: 'text/plain; version=0.0.4' })).text());
  } catch (error) {
    // Who may not read it sees the page without.
    if (error instanceof Refused) return null;
    throw error;
  }
}

export const figures = (): Polled<Sample[]> => new Polled<Sample[]>(() => 'metrics', 10_000, () => false, read);
