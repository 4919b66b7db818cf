// Leads the engine's calls to main.js. What that prints, and where it throws, goes to the engine.
import { print } from 'OUTPUT';
import * as policy from '../main.js';
import { checked } from './answer.js';

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

const SHAPES = 'SHAPES'; // What the contract asks for.

// A text that is thrown is the policy's answer, where the contract has a place for one; all else is a mistake.
function told(name, call) {
  return (...values) => {
    try {
      return checked(name, call(...values), SHAPES[name]);
    } catch (thrown) {
      if (typeof thrown !== 'string' || name === 'describe') say(thrown);
      throw thrown;
    }
  };
}

export const describe = told('describe', policy.describe);
export const configure = told('configure', policy.configure);
export const decide = told('decide', policy.decide);
