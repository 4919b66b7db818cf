import { expect, it } from 'vitest';
import { parseMetrics, valueOf } from './metrics';

it('reads what Prometheus reads, and passes over what it cannot', () => {
  const samples = parseMetrics('# HELP a b\n# TYPE a gauge\na 1\na{x="1",y="q\\"\\\\\\n"} 2.5 1700000000\nbroken{\n\nb{x="2"} NaN\n');
  expect(samples[1]).toEqual({ name: 'a', labels: { x: '1', y: 'q"\\\n' }, value: 2.5 });
  expect(valueOf(samples, 'a')).toBe(3.5);
  expect(valueOf(samples, 'a', { x: '1' })).toBe(2.5);
  expect(valueOf(samples, 'c')).toBeNull();
});
