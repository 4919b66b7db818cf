import { expect, it } from 'vitest';
import { bytes } from './size';

it.each([[0, '0 B'], [1023, '1023 B'], [1536, '1.5 KiB'], [734_003_200, '700 MiB'], [2 ** 60, '1024 PiB']])('tells %d bytes as %s', (count, text) => {
  expect(bytes(count)).toBe(text);
});
