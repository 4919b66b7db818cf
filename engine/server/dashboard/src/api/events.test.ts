import { describe, expect, it } from 'vitest';
import { FrameReader } from './events';

describe('FrameReader', () => {
  const text = ': here\n\nid: 4\nevent: transition\ndata: {"a":\ndata: 1}\n\nevent: reset\r\ndata: {}\r\n\r\n';
  const whole = [{ name: 'message', data: '' }, { name: 'transition', data: '{"a":\n1}' }, { name: 'reset', data: '{}' }];

  it('reads frames however they are cut', () => {
    for (let size = 1; size < text.length; size += 1) {
      const reader = new FrameReader();
      const frames = [];
      // A line's end of two characters is cut too, which no server does between a frame's last two.
      for (let at = 0; at < text.length; at += size) frames.push(...reader.push(text.slice(at, at + size)));
      expect(frames, `pieces of ${size}`).toEqual(whole);
    }
  });

  it('gives nothing of a frame that is not whole', () => {
    expect(new FrameReader().push('event: transition\ndata: {"a"')).toEqual([]);
  });
});
