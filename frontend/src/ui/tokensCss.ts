import { categories, faces, fontSizes, motion, palettes, sizes, spacing, statuses } from './tokens.ts';
import type { Scheme } from './tokens.ts';

const kebab = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

function colours(scheme: Scheme): string[] {
  const lines = Object.entries(palettes[scheme]).map(([name, value]) => `--sb-${kebab(name)}: ${value};`);
  for (const [name, pair] of Object.entries(statuses[scheme])) {
    lines.push(`--sb-${name}: ${pair.text};`, `--sb-${name}-fill: ${pair.fill};`);
  }
  for (const [name, pair] of Object.entries(categories[scheme])) {
    lines.push(`--sb-cat-${name}: ${pair.text};`, `--sb-cat-${name}-fill: ${pair.fill};`);
  }
  return [`color-scheme: ${scheme};`, ...lines];
}

function measures(): string[] {
  return [
    `--sb-font: ${faces.text};`,
    `--sb-mono: ${faces.mono};`,
    `--sb-control-height: ${sizes.control}px;`,
    `--sb-control-small: ${sizes.controlSmall}px;`,
    `--sb-row-height: ${sizes.row}px;`,
    `--sb-radius: ${sizes.radius}px;`,
    `--sb-panel-radius: ${sizes.panelRadius}px;`,
    `--sb-bar: ${sizes.bar}px;`,
    `--sb-rail: ${sizes.rail}px;`,
    `--sb-motion-in: ${motion.in}ms;`,
    `--sb-motion-out: ${motion.out}ms;`,
    ...Object.entries(fontSizes).map(([name, px]) => `--sb-size-${name}: ${px / 16}rem;`),
    ...Object.entries(spacing).map(([name, px]) => `--sb-space-${name}: ${px}px;`),
  ];
}

const face = (family: string, file: string, range?: string) =>
  `@font-face { font-family: '${family}'; font-style: normal; font-display: swap; font-weight: 100 900; ` +
  `src: url(${file}) format('woff2-variations');${range ? ` unicode-range: ${range};` : ''} }`;

const LATIN_EXT =
  'U+0100-02BA,U+02BD-02C5,U+02C7-02CC,U+02CE-02D7,U+02DD-02FF,U+0304,U+0308,U+0329,U+1D00-1DBF,' +
  'U+1E00-1E9F,U+1EF2-1EFF,U+2020,U+20A0-20AB,U+20AD-20C0,U+2113,U+2C60-2C7F,U+A720-A7FF';

/**
 * CSS variables `--sb-*`. Light or dark follows the system unless `<html>` carries
 * `data-mantine-color-scheme="light"` or `"dark"`.
 *
 * `fonts`: folder, relative to the sheet, whose faces are declared too (for pages without the app).
 */
export function tokensCss(options: { fonts?: string } = {}): string {
  const { fonts } = options;
  const block = (selector: string, lines: string[]) => `${selector} { ${lines.join(' ')} }`;
  return [
    ...(fonts
      ? [
          face('Inter Variable', `${fonts}/inter.woff2`),
          face('Inter Variable', `${fonts}/inter-ext.woff2`, LATIN_EXT),
          face('JetBrains Mono Variable', `${fonts}/mono.woff2`),
        ]
      : []),
    block(':root', [...measures(), ...colours('light')]),
    `@media (prefers-color-scheme: dark) { ${block(":root:not([data-mantine-color-scheme='light'])", colours('dark'))} }`,
    block(":root[data-mantine-color-scheme='dark']", colours('dark')),
    // A finger needs a larger target than a pointer.
    `@media (pointer: coarse) { ${block(':root', [
      `--sb-control-height: ${sizes.touch}px;`,
      `--sb-control-small: ${sizes.touch}px;`,
      `--sb-row-height: ${sizes.touch}px;`,
    ])} }`,
    block('html, body', ['background: var(--sb-page);', 'color: var(--sb-text);']),
    block('body', ['font-family: var(--sb-font);', 'font-size: var(--sb-size-md);', 'font-variant-numeric: tabular-nums;']),
    block(':focus-visible', ['outline: 2px solid var(--sb-accent);', 'outline-offset: 2px;']),
    '@media (prefers-reduced-motion: reduce) { *, *::before, *::after { animation-duration: 0.01ms !important; animation-iteration-count: 1 !important; transition-duration: 0.01ms !important; scroll-behavior: auto !important; } }',
  ].join('\n');
}
