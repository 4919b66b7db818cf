// What a job is called, and how its state is coloured.

import { type Confidence, type Job, type State, STATES } from '../api/types';

export type Tone = 'good' | 'moving' | 'bad' | 'calm';

const TONES: Record<State, Tone> = {
  RUNNING: 'good',
  CREATED: 'moving',
  INITIALIZING: 'moving',
  STARTING: 'moving',
  RESTARTING: 'moving',
  RECONCILING: 'moving',
  CANCELLING: 'moving',
  FAILING: 'moving',
  SAVEPOINTING: 'moving',
  FAILED: 'bad',
  LOST: 'bad',
  TERMINATED: 'bad',
  FINISHED: 'calm',
  CANCELED: 'calm',
  SUSPENDED: 'calm',
  UNKNOWN: 'calm',
};

/** States that something ended with. */
const ENDED: readonly State[] = ['FINISHED', 'CANCELED', 'FAILED', 'LOST', 'TERMINATED', 'SUSPENDED'];

export const isEnded = (state: State): boolean => ENDED.includes(state);

/** Those of all others, as a filter. */
export const LIVING: readonly State[] = STATES.filter((state) => !isEnded(state));

/** What the confidence in a state means: who told that it ended is not asked again and again. */
export const certaintyOf = (state: State, confidence: Confidence): string => (confidence === 'confirmed' && isEnded(state) ? 'ended' : confidence);

/** A word that only a later engine has is shown, and is calm. */
export const toneOf = (state: State): Tone => TONES[state] ?? 'calm';

/** What tells a job from its neighbours, and where it is. Standalone jobs are in no cluster. */
export function nameOf(id: string): { name: string; place: string | null } {
  const [cluster = '', namespace = '', name = '', ...rest] = id.split('/');
  const where = cluster === '-' ? null : `${cluster}/${namespace}`;
  if (rest.length === 0) return { name: name || id, place: where };
  return { name: rest.join('/'), place: where === null ? name : `${where}/${name}` };
}

export const isSilenced = (until: string | null | undefined): boolean => until !== null && until !== undefined;

/** What stands beside a job's state, the loudest first. */
export interface Flag {
  text: string;
  title: string;
  tone: 'bad' | 'warn' | 'moving' | 'calm';
  icon: 'bell' | 'mute' | 'flag' | null;
}

/** A condition that an alert of the same name tells of is not told twice. */
export function flagsOf(job: Job): Flag[] {
  const loud = job.alerts.filter((alert) => !isSilenced(alert.silencedUntil));
  const silenced = job.alerts.filter((alert) => isSilenced(alert.silencedUntil));
  const named = new Set(job.alerts.map((alert) => alert.alert));
  const wanted = job.intent && job.intent.intent !== 'none' ? [job.intent.intent] : [];
  return [
    ...loud.map((alert): Flag => ({ text: alert.alert, title: alert.message, tone: 'bad', icon: 'bell' })),
    ...job.conditions.filter((one) => !named.has(one.type)).map((one): Flag => ({ text: one.type, title: one.message, tone: 'warn', icon: null })),
    ...wanted.map((intent): Flag => ({ text: intent, title: intent, tone: 'moving', icon: 'flag' })),
    ...silenced.map((alert): Flag => ({ text: alert.alert, title: alert.message, tone: 'bad', icon: 'mute' })),
  ];
}
