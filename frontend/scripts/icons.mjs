/** Writes `ui/icons.ts`: one line per icon, each from its own file (the package's index holds 5,900). */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const target = fileURLToPath(new URL('../src/ui/icons.ts', import.meta.url));
const names = process.argv.slice(2);
const known = [...readFileSync(target, 'utf8').matchAll(/as (Icon\w+)/g)].map((match) => match[1]);
const all = [...new Set([...known, ...names])].sort();
writeFileSync(
  target,
  [
    '// Each from its own file: the package\'s index holds 5,900. `node frontend/scripts/icons.mjs IconName` adds one.',
    "export type { Icon } from '@tabler/icons-react';",
    ...all.map((name) => `export { default as ${name} } from '@tabler/icons-react/dist/esm/icons/${name}.mjs';`),
    '',
  ].join('\n'),
);
