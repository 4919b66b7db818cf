import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

// Few files with fixed names: the engine embeds each of them by name (`engine/server/src/dashboard.rs`). All addresses are
// relative, so that the page works behind any path.
export default defineConfig({
  base: './',
  plugins: [svelte()],
  build: {
    target: 'es2023',
    outDir: 'dist',
    emptyOutDir: true,
    assetsInlineLimit: 0,
    cssCodeSplit: false,
    modulePreload: false,
    reportCompressedSize: false,
    rollupOptions: {
      checks: { pluginTimings: false },
      output: {
        entryFileNames: 'dashboard/app.js',
        assetFileNames: 'dashboard/style.css',
        codeSplitting: false,
      },
    },
  },
  test: { include: ['src/**/*.test.ts'] },
});
