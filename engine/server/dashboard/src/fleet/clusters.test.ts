import { describe, expect, it } from 'vitest';
import { cluster, unreadable } from '../../tests/mock/world';
import { outageOf, reachOf, unreadKinds } from './clusters';

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
