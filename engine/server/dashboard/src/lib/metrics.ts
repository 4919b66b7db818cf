// The few figures that only `/metrics` has, out of Prometheus' text format.

export interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

const LINE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})?\s+(\S+)/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"/g;
const ESCAPES: Record<string, string> = { '\\n': '\n', '\\"': '"', '\\\\': '\\' };

/** Lines that do not read are passed over. */
export function parseMetrics(text: string): Sample[] {
  const samples: Sample[] = [];
  for (const line of text.split('\n')) {
    const [, name, labels = '', value] = LINE.exec(line) ?? [];
    if (name === undefined || value === undefined || line.startsWith('#')) continue;
    const pairs = [...labels.matchAll(LABEL)].map(([, key = '', held = '']) => [key, held.replace(/\\[n"\\]/g, (one) => ESCAPES[one] ?? one)]);
    samples.push({ name, labels: Object.fromEntries(pairs) as Record<string, string>, value: Number(value) });
  }
  return samples;
}

/** The sum of all series of that name with those labels; null if there is none. */
export function valueOf(samples: Sample[], name: string, labels: Record<string, string> = {}): number | null {
  const found = samples.filter((one) => one.name === name && Object.entries(labels).every(([key, value]) => one.labels[key] === value));
  return found.length === 0 ? null : found.reduce((sum, one) => sum + one.value, 0);
}
