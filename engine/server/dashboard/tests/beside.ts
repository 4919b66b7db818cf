// README's picture: the dashboard in the demo's outage, beside what the naive watcher says of the same jobs in that moment.

import { expect, type Page } from '@playwright/test';
import type { ShadowPage } from '../src/api/types';

/** What is so in the demo's world once its link is cut, in the order of the dashboard. */
const TRUTH: Record<string, string> = { images: 'never started', reports: 'has failed', legacy: 'runs', orders: 'runs', payments: 'runs', clicks: 'has finished' };
/** Which words of a watcher are true of it. */
const TRUE_WORDS: Record<string, string[]> = { runs: ['RUNNING'], 'has finished': ['FINISHED'], 'has failed': ['FAILED'], 'never started': ['STARTING', 'FAILED'] };

const DASHBOARD = { width: 1040, height: 580 };
const WATCHER_WIDTH = 380;

const STYLE = `
  body { margin: 0; padding: 20px; background: #e9edf2; font: 14px 'DejaVu Sans', sans-serif; color: #1c2733; }
  main { display: flex; gap: 20px; align-items: stretch; }
  section { background: #fff; border: 1px solid #c9d2dc; border-radius: 8px; overflow: hidden; }
  h1 { margin: 0; padding: 10px 16px; font-size: 15px; border-bottom: 1px solid #c9d2dc; background: #f6f8fa; }
  img { display: block; width: ${DASHBOARD.width}px; }
  .watcher { width: ${WATCHER_WIDTH}px; flex: none; }
  table { width: 100%; border-collapse: collapse; }
  th, td { text-align: left; padding: 13px 16px; border-bottom: 1px solid #e3e8ee; }
  th { font-size: 12px; color: #5b6b7c; }
  .false { color: #b3182b; font-weight: bold; }
  p { margin: 14px 16px; line-height: 1.5; color: #5b6b7c; }
`;

/** Shows the two beside each other in `to`, from what `dashboard` shows and the engine's shadow policy `naive` says. */
export async function beside(dashboard: Page, to: Page, address: string): Promise<void> {
  const before = dashboard.viewportSize();
  await dashboard.setViewportSize(DASHBOARD);
  const shot = await dashboard.screenshot({ animations: 'disabled' });
  if (before) await dashboard.setViewportSize(before);
  const said = ((await (await dashboard.request.get(`${address}api/v1/shadows`)).json()) as ShadowPage).items;
  const rows = Object.entries(TRUTH).map(([name, truth]) => {
    const word = said.find((one) => one.job.endsWith(`/${name}`))?.shadow.state ?? '';
    expect(word, `the naive watcher's word of ${name}`).not.toBe('');
    return `<tr><td>${name}<td${TRUE_WORDS[truth]?.includes(word) ? '' : ' class="false"'}>${word}<td>${truth}`;
  });
  await to.setViewportSize({ width: DASHBOARD.width + WATCHER_WIDTH + 64, height: DASHBOARD.height + 80 });
  await to.setContent(`<style>${STYLE}</style><main>
    <section><h1>Steadfast: the cluster cannot be read</h1><img src="data:image/png;base64,${shot.toString('base64')}" alt=""></section>
    <section class="watcher"><h1>A naive watcher, in the same moment</h1>
      <table><thead><tr><th>Job<th>It says<th>In truth it</thead><tbody>${rows.join('')}</tbody></table>
      <p>It takes an error for an end, and has stopped watching what it calls FAILED.</p></section></main>`);
}
