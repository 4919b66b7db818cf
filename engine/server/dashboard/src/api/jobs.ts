// Jobs of all pages of a list, for what is done about many at once.

import { ask } from './client';
import type { Job, JobPage } from './types';

const PAGE = 5000;

/** All jobs that match. Not by `get`, which would remember each page. */
export async function readJobs(query: string): Promise<Job[]> {
  const jobs: Job[] = [];
  let cursor: string | null = null;
  do {
    const from: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const response: Response = await ask(`api/v1/jobs?${query}&limit=${PAGE}${from}`);
    const page = (await response.json()) as JobPage;
    jobs.push(...page.items);
    cursor = page.cursor ?? null;
  } while (cursor !== null);
  return jobs;
}
