import react from '@vitejs/plugin-react';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { messageCatalogues } from './build-plugins/messages.ts';
import { stepIcons } from './build-plugins/stepIcons.ts';
import { tokenSheet } from './build-plugins/tokenSheet.ts';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig(({ command }) => ({
  root: here('.'),
  cacheDir: here('../node_modules/.vite'),
  base: command === 'build' ? '/static/build/' : '/',
  resolve: {
    alias: {
      '~': here('./src'),
      // RJSF's index names the compiling validator, which the page's policy forbids; ours stands in.
      '@rjsf/validator-ajv8': here('./src/ui/schemaForm/validator.ts'),
    },
  },
  css: { modules: { localsConvention: 'camelCaseOnly' } },
  plugins: [react(), messageCatalogues(), stepIcons(here('../apps')), tokenSheet()],
  build: {
    outDir: here('../static/build'),
    emptyOutDir: true,
    manifest: true,
    sourcemap: false,
    target: 'es2022',
    // Small files would become data: addresses, which the page's policy allows for pictures only.
    assetsInlineLimit: 0,
    rolldownOptions: { input: here('./src/app/main.tsx') },
    chunkSizeWarningLimit: 1600,
  },
  server: {
    proxy: {
      '/api': 'http://127.0.0.1:8000',
      '/static': 'http://127.0.0.1:8000',
      '/ws': { target: 'ws://127.0.0.1:8000', ws: true },
    },
  },
  test: {
    environment: 'happy-dom',
    include: ['src/**/*.test.{ts,tsx}', 'tests/**/*.test.{ts,tsx}'],
    setupFiles: [here('./tests/setup.ts')],
    css: false,
    // They name parts of dayjs and a validator that only a bundler finds.
    server: { deps: { inline: [/@rjsf\/(mantine|core)/] } },
    restoreMocks: true,
    // A bar for what hangs; a busy machine is no reason to fail.
    testTimeout: 30_000,
    maxWorkers: 2,
  },
}));
