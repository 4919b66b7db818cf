import { vitePreprocess } from '@sveltejs/vite-plugin-svelte';

// Runes everywhere, so that what is reactive can be seen in the code.
export default { preprocess: vitePreprocess(), compilerOptions: { runes: true } };
