import { describe, expect, it } from 'vitest';
import { job } from '../../tests/mock/world';
import type { Job } from '../api/types';
import { begin, behind, type Chain, indexIn, lengthOf, rowOf, type Span, type Step, STRIDE, taken, withJob } from './chain';

const jobs: Job[] = Array.from({ length: 1450 }, (_, at) => job(`a/b/${at}`));
/** What the engine answers: its cursor is the number of the row that the next page begins with. */
function answer({ cursor, limit }: Step): { items: Job[]; cursor: string | null; total: number } {
  const from = Number(cursor ?? 0);
  return { items: jobs.slice(from, from + limit), cursor: from + limit < jobs.length ? String(from + limit) : null, total: jobs.length };
}
function read(chain: Chain, wanted: Span): { chain: Chain; limits: number[] } {
  const limits: number[] = [];
  let step = begin(chain, wanted);
  while (step !== null) {
    limits.push(step.limit);
    chain = taken(chain, step, answer(step));
    step = behind(chain, step.at + 1, wanted);
  }
  return { chain, limits };
}

describe('a chain of pages', () => {
  it('is read a page at a time where one scrolls, and by strides to where one jumps', () => {
    expect(read([], { first: 0, last: 20 }).limits).toEqual([200]);
    expect(read([], { first: 190, last: 220 }).limits).toEqual([200, 200]);
    const far = read([], { first: 1290, last: 1330 });
    expect(far.limits).toEqual([STRIDE, 200, 200]);
    expect(rowOf(far.chain, 1300)?.id).toBe('a/b/1300');
    expect(indexIn(far.chain, 'a/b/1399')).toBe(1399);
    expect(rowOf(far.chain, 1400)).toBeUndefined();
  });

  it('is read anew only where it is in sight, and goes on behind it', () => {
    const { chain } = read([], { first: 390, last: 430 });
    expect(lengthOf(chain)).toBe(600);
    const again = read(chain, { first: 210, last: 240 });
    expect(again.limits).toEqual([200]);
    expect(again.chain[0]).toBe(chain[0]);
    expect(again.chain[2]).toBe(chain[2]);
  });

  it('forgets what is behind a page that ends elsewhere', () => {
    const { chain } = read([], { first: 390, last: 430 });
    const step = begin(chain, { first: 0, last: 10 }) as Step;
    expect(taken(chain, step, { ...answer(step), cursor: '201' })).toHaveLength(1);
  });

  it('ends with the list', () => {
    const { chain } = read([], { first: 1440, last: 1460 });
    expect(lengthOf(chain)).toBe(1450);
    expect(begin(chain, { first: 1500, last: 1510 })).toBeNull();
  });

  it('shows a job as it is now', () => {
    const { chain } = read([], { first: 0, last: 430 });
    const now = withJob(chain, job('a/b/250', { attempt: 7 }));
    expect(rowOf(now, 250)?.attempt).toBe(7);
    expect(now[0]).toBe(chain[0]);
  });
});
