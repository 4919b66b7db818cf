// What may be done about jobs, one or many at once.

import { ask, jobPath, send, wordsOf } from '../api/client';
import type { IntentWord, Job } from '../api/types';

export type ActionName = 'intent' | 'look' | 'silence' | 'unsilence' | 'forget';

export interface Failed {
  id: string;
  why: string;
}

/** Requests at a time: the engine takes calls about jobs one after another. */
const AT_ONCE = 4;

/** Does it for each, some at a time; says which were refused and why. */
export async function forEach(ids: readonly string[], act: (id: string) => Promise<unknown>, progress: (done: number) => void): Promise<Failed[]> {
  const failed: Failed[] = [];
  const waiting = [...ids];
  let done = 0;
  const work = async (): Promise<void> => {
    for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) {
      try {
        await act(id);
      } catch (error) {
        failed.push({ id, why: wordsOf(error) });
      }
      done += 1;
      progress(done);
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, ids.length) }, work));
  return failed;
}

const said = (author: string): { author?: string } => (author.trim() === '' ? {} : { author: author.trim() });

export const intend = (id: string, intent: IntentWord, author: string): Promise<Job | null> =>
  send<Job>('PUT', `${jobPath(id)}/intent`, { intent, ...said(author) });

/** The job after the look was judged; or as it was, if that takes longer than the engine waits. */
export async function look(id: string): Promise<{ job: Job; isLate: boolean }> {
  const response = await ask(`${jobPath(id)}/look`, { method: 'POST' });
  return { job: (await response.json()) as Job, isLate: response.status === 202 };
}

export const forget = (id: string, isForced: boolean): Promise<null> => send('DELETE', `${jobPath(id)}${isForced ? '?force=true' : ''}`);

const silencePath = (id: string, alert: string): string => `${jobPath(id)}/silences/${encodeURIComponent(alert)}`;

export const silence = (id: string, alert: string, until: string, comment: string, author: string): Promise<Job | null> =>
  send<Job>('PUT', silencePath(id, alert), { until, ...(comment.trim() === '' ? {} : { comment: comment.trim() }), ...said(author) });

export const unsilence = (id: string, alert: string): Promise<Job | null> => send<Job>('DELETE', silencePath(id, alert));
