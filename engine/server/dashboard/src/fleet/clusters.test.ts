import { describe, expect, it } from 'vitest';
import { cluster, unreadable } from '../../tests/mock/world';
import { livingPath, outageOf, reachOf, unreadKinds } from './clusters';

describe('reachOf', () => {
  const well = cluster('prod');
  it('tells a cluster that cannot be read from one of which a part cannot', () => {
    expect(reachOf(well)).toBe('reachable');
    expect(reachOf(unreadable('prod', 'refused', 1000))).toBe('unknown');
    const kinds = well.kinds.map((kind) => (kind.kind === 'Pod' ? { ...kind, state: 'retrying' as const, namespace: 'a' } : kind));
    expect(reachOf({ ...well, kinds })).toBe('partly');
    expect(unreadKinds({ ...well, kinds })).toBe('Pods (a)');
    expect(reachOf({ ...well, state: 'pending' })).toBe('pending');
  });
  it('does not mind an operator that is not installed', () => {
    const kinds = well.kinds.map((kind) => (kind.kind === 'FlinkDeployment' ? { ...kind, state: 'notServed' as const } : kind));
    expect(outageOf({ ...well, kinds })).toBeNull();
  });
});

describe('outageOf', () => {
  it('begins when what is lost was lost, whatever an operator that was never there says', () => {
    const now = Date.now();
    const gone = unreadable('prod', 'refused', 4000, now);
    const kinds = gone.kinds.map((kind) => (kind.kind.startsWith('Flink') ? { ...kind, unknownSince: new Date(now - 9e6).toISOString() } : kind));
    expect(outageOf({ ...gone, kinds })?.since).toBe(new Date(now - 4000).toISOString());
    expect(outageOf({ ...gone, kinds, unknownSince: null })?.since).toBe(new Date(now - 4000).toISOString());
  });
});

describe('livingOf', () => {
  it('asks for the states that nothing ended with', () => {
    const query = new URLSearchParams(livingPath('prod').split('?')[1]);
    expect(query.get('cluster')).toBe('prod');
    expect(query.getAll('state')).toContain('RUNNING');
    for (const ended of ['FINISHED', 'FAILED', 'TERMINATED', 'LOST']) expect(query.getAll('state')).not.toContain(ended);
  });
});
