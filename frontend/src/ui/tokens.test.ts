import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { categories, palettes, statuses } from './tokens';
import type { Scheme } from './tokens';
import { tokensCss } from './tokensCss';

function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const channel = parseInt(hex.slice(at, at + 2), 16) / 255;
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(one: string, other: string): number {
  const [low = 0, high = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

describe.each(['light', 'dark'] as Scheme[])('contrast, %s', (scheme) => {
  const palette = palettes[scheme];
  const grounds = [palette.page, palette.surface, palette.sunken, palette.accentSoft];

  it('text is readable on every ground', () => {
    for (const ground of grounds) {
      expect(contrast(palette.text, ground)).toBeGreaterThanOrEqual(4.5);
      expect(contrast(palette.muted, ground)).toBeGreaterThanOrEqual(4.5);
      expect(contrast(palette.accent, ground)).toBeGreaterThanOrEqual(4.5);
    }
    expect(contrast(palette.onAccent, palette.accent)).toBeGreaterThanOrEqual(4.5);
    expect(contrast(palette.onAccent, palette.accentHover)).toBeGreaterThanOrEqual(4.5);
  });

  it('borders of controls, links and ports are seen', () => {
    for (const ground of [palette.page, palette.surface]) {
      expect(contrast(palette.control, ground)).toBeGreaterThanOrEqual(3);
    }
  });

  it.each(Object.entries({ ...statuses[scheme], ...categories[scheme] }))('%s', (_name, pair) => {
    expect(contrast(pair.text, pair.fill)).toBeGreaterThanOrEqual(4.5);
    expect(contrast(pair.text, palette.surface)).toBeGreaterThanOrEqual(4.5);
    expect(contrast(pair.text, palette.page)).toBeGreaterThanOrEqual(4.5);
  });
});

it('the sheet knows both schemes and the fonts only when asked', () => {
  expect(tokensCss()).toContain('--sb-accent: #2F5BEA');
  expect(tokensCss()).toContain("[data-mantine-color-scheme='dark']");
  expect(tokensCss()).not.toContain('@font-face');
  expect(tokensCss({ fonts: 'fonts' })).toContain('url(fonts/inter.woff2)');
});

it('no style sheet names a colour of its own', () => {
  const sheets = readdirSync('frontend/src', { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.css'),
  );
  expect(sheets.length).toBeGreaterThan(0);
  for (const sheet of sheets) {
    const text = readFileSync(join('frontend/src', sheet), 'utf8');
    expect(text.match(/#[0-9a-f]{3,8}\b|\b(rgb|hsl|oklch)a?\(/gi) ?? [], sheet).toEqual([]);
  }
});
