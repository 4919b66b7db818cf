// Holds an answer to the contract's shape: a value of another type would fail without a word, or be lost.

const LONGEST = 60; // Of a text that is shown, in characters.
const NUMBERS = {
  u64: [0n, 2n ** 64n - 1n, 'a BigInt of 0 or more, such as 5000n'],
  s64: [-(2n ** 63n), 2n ** 63n - 1n, 'a BigInt, such as 5000n'],
};

/** Returns what is given, or throws a text that says what is wrong with it, and where. */
export function checked(call, value, shape) {
  const wrong = mistake(value, shape, '');
  if (wrong) throw `${call}: ${wrong}`;
  return value;
}

function mistake(value, shape, place) {
  const not = (wanted) => `${place || 'the answer'} is ${shown(value)}; ${wanted}`;
  if (typeof value?.then === 'function') return not('a policy answers at once, without `async`');
  if (shape === 'any') return undefined;
  if (shape === 'text') return typeof value === 'string' ? undefined : not('a text');
  // By its tag: the memory that a policy was given, and gives back as it is, is of the class of whoever called it.
  const tag = Object.prototype.toString.call(value);
  if (shape === 'bytes') return tag === '[object Uint8Array]' ? undefined : not('a Uint8Array, as a TextEncoder makes of a text');
  if (NUMBERS[shape]) {
    const [least, most, wanted] = NUMBERS[shape];
    return typeof value === 'bigint' && value >= least && value <= most ? undefined : not(wanted);
  }
  if (shape.words) return shape.words.includes(value) ? undefined : not(`one of ${shape.words.map(quoted).join(', ')}`);
  if (shape.list) {
    if (!Array.isArray(value)) return not('an array');
    return first(value.keys(), (at) => mistake(value[at], shape.list, `${place}[${at}]`));
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return not(`an object of ${shape.fields.map(([name]) => name).join(', ')}`);
  }
  return first(shape.fields, ([name, of]) => mistake(value[name], of, place ? `${place}.${name}` : name));
}

function first(all, find) {
  for (const one of all) {
    const found = find(one);
    if (found) return found;
  }
  return undefined;
}

function shown(value) {
  if (typeof value === 'string') return quoted(value.length > LONGEST ? `${value.slice(0, LONGEST)}...` : value);
  if (typeof value === 'bigint') return `${value}n`;
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'function') return 'a function';
  if (typeof value !== 'object' || value === null) return String(value);
  const kind = value.constructor?.name || 'Object';
  const names = Object.keys(value).slice(0, 12).join(', ');
  return kind === 'Object' ? `an object of ${names || 'nothing'}` : `of the type ${kind}`;
}

function quoted(text) {
  return `'${text}'`;
}
