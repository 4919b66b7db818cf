import { describe, expect, it } from 'vitest';
import { STATES } from '../api/types';
import { job } from '../../tests/mock/world';
import { flagsOf, nameOf, toneOf } from './job';

describe('nameOf', () => {
  it.each([
    ['local/default/orders', 'orders', 'local/default'],
    ['-/-/orders', 'orders', null],
    ['local/default/session/nightly', 'nightly', 'local/default/session'],
    ['-/-/session/7c67', '7c67', 'session'],
  ])('tells %s from its neighbours', (id, name, place) => {
    expect(nameOf(id)).toEqual({ name, place });
  });
});

describe('toneOf', () => {
  it('knows every state, and is calm about a word of a later engine', () => {
    expect(STATES.filter((state) => toneOf(state) === 'bad')).toEqual(['FAILED', 'LOST', 'TERMINATED']);
    expect(toneOf('UNHEARD_OF' as never)).toBe('calm');
  });
});

describe('flagsOf', () => {
  it('has the loudest first, and says nothing twice', () => {
    const since = '2026-11-28T03:31:07Z';
    const alert = (name: string, silencedUntil?: string) => ({ alert: name, scope: 'job' as const, since, message: '', ...(silencedUntil ? { silencedUntil } : {}) });
    const flags = flagsOf(job('l/d/o', {
      alerts: [alert('RestartLoop', since), alert('CheckpointsFailing')],
      conditions: [{ type: 'CheckpointsFailing', since, message: '' }, { type: 'ImagePull', since, message: '' }],
      intent: { intent: 'cancel', since },
    }));
    expect(flags.map((flag) => `${flag.icon} ${flag.text}`)).toEqual(['bell CheckpointsFailing', 'null ImagePull', 'flag cancel', 'mute RestartLoop']);
  });
});
