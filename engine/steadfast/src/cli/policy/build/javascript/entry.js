// Leads the engine's calls to main.js. What that prints, and where it throws, goes to the engine.
import { print } from 'OUTPUT';
import * as policy from '../main.js';

const AT_ONCE = 4096; // What is kept of it is less.
const encoder = new TextEncoder();

function say(...values) {
  const bytes = encoder.encode(values.map(written).join(' ') + '\n');
  for (let at = 0; at < bytes.length; at += AT_ONCE) print(bytes.subarray(at, at + AT_ONCE));
}

function written(value) {
  if (typeof value === 'string') return value;
  if (value instanceof Error) return `${value}\n${value.stack}`;
  try {
    return JSON.stringify(value, plain) ?? String(value);
  } catch {
    return String(value);
  }
}

// What JSON has no word for.
function plain(_, value) {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  return value instanceof Uint8Array ? Array.from(value) : value;
}

globalThis.console = Object.fromEntries(
  ['debug', 'error', 'info', 'log', 'trace', 'warn'].map((name) => [name, say]),
);

// What is thrown as it is, such as a text, is an answer of the policy's; an Error is a mistake.
function told(call) {
  return (...values) => {
    try {
      return call(...values);
    } catch (thrown) {
      if (thrown instanceof Error) say(thrown);
      throw thrown;
    }
  };
}

export const describe = told(policy.describe);
export const configure = told(policy.configure);
export const decide = told(policy.decide);
