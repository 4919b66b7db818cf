import { expect, it } from 'vitest';
import { windowOf } from './virtual';

it.each([
  [0, 900, 45, 10_000, { first: 0, end: 28 }],
  [45_000, 900, 45, 10_000, { first: 992, end: 1028 }],
  [450_000, 900, 45, 10_000, { first: 9992, end: 10_000 }],
  [0, 900, 45, 3, { first: 0, end: 3 }],
  [9000, 900, 45, 0, { first: 0, end: 0 }],
])('draws what is in sight: %d pixels down', (above, seen, height, total, rows) => {
  expect(windowOf(above, seen, height, total, 8)).toEqual(rows);
});
