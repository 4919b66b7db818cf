// The event stream. EventSource cannot send a token, so it is read by fetch.

import { ask } from './client';
import type { StreamEvent } from './types';

/** Heartbeats come every 15 s: a longer silence is a dead connection. Milliseconds. */
const SILENCE = 40_000;

export interface Frame {
  name: string;
  data: string;
}

/** Takes text as it comes in, and gives the frames that are whole. */
export class FrameReader {
  #rest = '';

  push(text: string): Frame[] {
    const blocks = (this.#rest + text).replaceAll('\r\n', '\n').split('\n\n');
    this.#rest = blocks.pop() ?? '';
    return blocks.map(frameOf);
  }
}

function frameOf(block: string): Frame {
  const frame: Frame = { name: 'message', data: '' };
  for (const line of block.split('\n')) {
    const at = line.indexOf(':');
    // A comment, which is what heartbeats are, has no field name.
    if (at <= 0) continue;
    const value = line.slice(at + 1).replace(/^ /, '');
    if (line.startsWith('event:')) frame.name = value;
    if (line.startsWith('data:')) frame.data += (frame.data === '' ? '' : '\n') + value;
  }
  return frame;
}

/** Where a stream goes on: the last event that was received. */
export type Position = Pick<StreamEvent, 'sequence' | 'store' | 'at'>;

/** Opens the stream behind that position, or with what comes next. */
export async function openEvents(position: Position | null, signal: AbortSignal): Promise<Response> {
  const query = new URLSearchParams({ job: 'true' });
  if (position !== null) {
    query.set('after', String(position.sequence));
    query.set('store', position.store);
    if (position.at !== undefined) query.set('at', position.at);
  }
  return ask(`api/v1/events?${query}`, { accept: 'text/event-stream', signal });
}

/** The frames of a stream until it ends, or is silent for too long. */
export async function* frames(body: ReadableStream<Uint8Array>): AsyncGenerator<Frame> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  const parser = new FrameReader();
  try {
    for (;;) {
      const read = await inTime(reader.read());
      if (read === null || read.done) return;
      yield* parser.push(decoder.decode(read.value, { stream: true }));
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

function inTime<T>(promise: Promise<T>): Promise<T | null> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), SILENCE);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
