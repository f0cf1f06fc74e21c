import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Plugin } from 'vite';

const MODULE = 'virtual:step-icons';

/**
 * The icons that step types name, and no others: a new step type brings its own icon without a
 * change here. Names are Tabler's ("arrows-split"); an unknown one fails the build.
 */
export function stepIcons(appsFolder: string): Plugin {
  return {
    name: 'signalbox:step-icons',
    resolveId: (id) => (id === MODULE ? `\0${MODULE}` : null),
    load(id) {
      if (id !== `\0${MODULE}`) return null;
      const names = iconNames(appsFolder);
      const pairs = names.map((name) => [name, componentName(name)] as const);
      const imports = pairs.map(
        ([, component]) =>
          `import ${component} from '@tabler/icons-react/dist/esm/icons/${component}.mjs';`,
      );
      const entries = pairs.map(([name, component]) => `${JSON.stringify(name)}: ${component}`);
      return `${imports.join('\n')}\nexport default {${entries.join(', ')}};`;
    },
  };
}

function iconNames(appsFolder: string): string[] {
  const names = new Set<string>();
  for (const folder of ['steps', 'triggers']) {
    const path = join(appsFolder, folder);
    if (!existsSync(path)) continue;
    for (const file of readdirSync(path, { recursive: true, encoding: 'utf8' })) {
      if (!file.endsWith('.py')) continue;
      const source = readFileSync(join(path, file), 'utf8');
      for (const match of source.matchAll(/\bicon["']?\s*[=:]\s*["']([a-z0-9-]+)["']/g)) {
        if (match[1]) names.add(match[1]);
      }
    }
  }
  return [...names].sort();
}

function componentName(name: string): string {
  return `Icon${name
    .split('-')
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
    .join('')}`;
}
