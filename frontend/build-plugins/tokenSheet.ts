import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Plugin } from 'vite';
import { tokensCss } from '../src/ui/tokensCss.ts';

const MODULE = 'virtual:tokens.css';
const require = createRequire(import.meta.url);

/** Faces that the app and the server's own pages share, under names that do not change. */
const FONTS: Record<string, string> = {
  'fonts/inter.woff2': '@fontsource-variable/inter/files/inter-latin-wght-normal.woff2',
  'fonts/inter-ext.woff2': '@fontsource-variable/inter/files/inter-latin-ext-wght-normal.woff2',
  'fonts/mono.woff2':
    '@fontsource-variable/jetbrains-mono/files/jetbrains-mono-latin-wght-normal.woff2',
};

/**
 * `tokens.css` out of `tokens.ts`: once inside the app, once as a file of its own
 * (`static/build/tokens.css`) for pages that the server renders.
 */
export function tokenSheet(): Plugin {
  return {
    name: 'signalbox:tokens',
    resolveId: (id) => (id === MODULE ? `\0${MODULE}` : null),
    load: (id) => (id === `\0${MODULE}` ? tokensCss() : null),
    generateBundle() {
      this.emitFile({ type: 'asset', fileName: 'tokens.css', source: tokensCss({ fonts: 'fonts' }) });
      for (const [fileName, source] of Object.entries(FONTS)) {
        this.emitFile({ type: 'asset', fileName, source: readFileSync(require.resolve(source)) });
      }
    },
  };
}
