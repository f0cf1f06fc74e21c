import { parse } from '@formatjs/icu-messageformat-parser';
import type { Plugin } from 'vite';

/** Catalogues reach the browser parsed, so that it needs no parser and a broken text fails the build. */
export function messageCatalogues(): Plugin {
  return {
    name: 'signalbox:messages',
    enforce: 'pre',
    transform(code, id) {
      if (!/\/messages\/[\w-]+\/[\w-]+\.json$/.test(id)) return null;
      const texts = JSON.parse(code) as Record<string, string>;
      const parsed = Object.fromEntries(
        Object.entries(texts).map(([key, text]) => {
          try {
            return [key, parse(text, { captureLocation: false })];
          } catch (error) {
            throw new Error(`${id}: ${key}: ${String(error)}`);
          }
        }),
      );
      return { code: `export default ${JSON.stringify(parsed)}`, map: null, moduleType: 'js' };
    },
  };
}
