/**
 * Sides are named by where reading begins and ends, so that a page mirrors itself for those who
 * read from right to left: margin-inline-start, not margin-left. A picture of a flow runs from left
 * to right for everybody: its sheets stand in PICTURES.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const FOLDERS = ['frontend/src', 'static', 'templates', 'apps'];
const PICTURES = /(^|\/)canvas\/[\w.-]+\.css$/;
const SKIPPED = /(^|\/)(build|node_modules|__pycache__)\//;

const SIDE = 'left|right';
const PHYSICAL = [
  new RegExp(`(^|[\\s;{])(${SIDE})\\s*:`),
  new RegExp(`(margin|padding|scroll-margin|scroll-padding|border)-(${SIDE})(-[a-z]+)*\\s*:`),
  new RegExp(`border-(top|bottom)-(${SIDE})-radius\\s*:`),
  new RegExp(`(text-align|float|clear)\\s*:\\s*(${SIDE})\\b`),
];

/** Comments hold words, and a page its own script: neither is style. */
const bare = (text) => text.replaceAll(/\/\*[\s\S]*?\*\//g, (comment) => comment.replaceAll(/[^\n]/g, ' '));

/** Style in a page of the server: between style tags, or in an attribute. */
const styleOf = (file, text) =>
  file.endsWith('.css') ? text : text.replaceAll(/[\s\S]*?(?:(?:<style[^>]*>([\s\S]*?)<\/style>|\sstyle="([^"]*)")|$)/g, (all, sheet, attribute) => {
    const style = sheet ?? attribute ?? '';
    return '\n'.repeat(Math.max(0, all.split('\n').length - style.split('\n').length)) + style;
  });

export function physicalIn(file, text) {
  if (PICTURES.test(file)) return [];
  return bare(styleOf(file, text)).split('\n').flatMap((line, at) =>
    PHYSICAL.some((pattern) => pattern.test(line)) ? [`${file}:${at + 1}: ${line.trim()}`] : [],
  );
}

if (process.argv[1]?.endsWith('styles.mjs')) {
  const ROOT = fileURLToPath(new URL('../..', import.meta.url));
  const found = FOLDERS.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.(css|html)$/.test(file) && !SKIPPED.test(`/${file}`))
      .flatMap((file) => physicalIn(`${folder}/${file}`, readFileSync(join(ROOT, folder, file), 'utf8'))),
  );
  if (found.length > 0) {
    console.error(`Left and right are not the same for everybody; use inline-start and inline-end:\n${found.join('\n')}`);
    process.exit(1);
  }
}
