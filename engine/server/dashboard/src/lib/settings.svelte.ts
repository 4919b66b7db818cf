// What one person prefers, kept in this browser.

import type { Zone } from './time';

export type Theme = 'system' | 'light' | 'dark';
export type Language = 'en' | 'zh';

const KEY = 'steadfast-settings';

interface Stored {
  theme?: unknown;
  language?: unknown;
  zone?: unknown;
}

function stored(): Stored {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(KEY) ?? '{}');
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}

const ofBrowser = (): Language => (navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en');

class Settings {
  theme = $state<Theme>('system');
  language = $state<Language>('en');
  zone = $state<Zone>('local');

  constructor() {
    const { theme, language, zone } = stored();
    this.theme = theme === 'light' || theme === 'dark' ? theme : 'system';
    this.language = language === 'en' || language === 'zh' ? language : ofBrowser();
    this.zone = zone === 'utc' ? 'utc' : 'local';
  }

  /** Puts them into effect and keeps them; to be called within an effect. */
  apply(): void {
    const root = document.documentElement;
    root.lang = this.language === 'zh' ? 'zh-CN' : 'en';
    if (this.theme === 'system') delete root.dataset.theme;
    else root.dataset.theme = this.theme;
    const { theme, language, zone } = this;
    // A language that was not chosen follows the browser's.
    const chosen = language === ofBrowser() ? {} : { language };
    localStorage.setItem(KEY, JSON.stringify({ theme, zone, ...chosen }));
  }
}

export const settings = new Settings();
