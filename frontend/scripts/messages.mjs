/**
 * Checks the catalogues: every text parses, every id begins with its file's name, every id that the
 * sources use exists, every id that exists is used, every other language has the same ids with the
 * same placeholders, each of the same kind, and every plural form its language asks for. Ids built
 * at run time are listed by their prefix in DYNAMIC.
 */
import { parse } from '@formatjs/icu-messageformat-parser';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SOURCE = fileURLToPath(new URL('../src', import.meta.url));
const CATALOGUES = join(SOURCE, 'app/messages');
const DYNAMIC = /^(app\.status|audit\.verb|audit\.proof|audit\.evidence\.(?:list|state)|settings\.logs\.kind|settings\.chat\.group|notices\.(?:group|way|choice|push)|settings\.role|settings\.right|canvas\.state|canvas\.category|inbox\.outcome|inbox\.view|runs\.asked)\./;

const problems = [];
const languages = readdirSync(CATALOGUES, { withFileTypes: true }).filter((entry) => entry.isDirectory());
const read = (language) =>
  Object.fromEntries(
    readdirSync(join(CATALOGUES, language))
      .filter((file) => file.endsWith('.json'))
      .flatMap((file) => {
        const area = file.replace('.json', '');
        const texts = JSON.parse(readFileSync(join(CATALOGUES, language, file), 'utf8'));
        for (const id of Object.keys(texts)) {
          if (!id.startsWith(`${area}.`)) problems.push(`${language}/${file}: ${id} must begin with "${area}."`);
        }
        return Object.entries(texts);
      }),
  );

/** Kinds of a part of a text, as the parser numbers them. */
const KINDS = { 1: 'argument', 2: 'number', 3: 'date', 4: 'time', 5: 'select', 6: 'plural', 8: 'tag' };

/** The plural forms a language has: German has two, Arabic six. */
const forms = (language, ordinal) =>
  new Intl.PluralRules(language, { type: ordinal ? 'ordinal' : 'cardinal' }).resolvedOptions().pluralCategories;

/** What a text is given and how it uses it; says what is wrong with its plurals in this language. */
function shapeOf(language, id, text) {
  const names = new Set();
  const walk = (parts) =>
    parts.forEach((part) => {
      const options = Object.keys(part.options ?? {});
      if (part.type === 6) {
        const ordinal = part.pluralType === 'ordinal';
        // Ordinals that a language writes alike (1., 2., 3.) are no other argument.
        const exact = options.filter((option) => option.startsWith('=')).sort();
        names.add(`${part.value}:plural ${exact.join(' ')}`);
        for (const form of forms(language, ordinal)) {
          if (options.includes(form) || (form === 'one' && options.includes('=1'))) continue;
          problems.push(`${language}: ${id} has no form "${form}" for ${part.value}`);
        }
      } else if (part.type === 5) {
        names.add(`${part.value}:select ${options.sort().join(' ')}`);
      } else if (KINDS[part.type]) {
        names.add(`${part.value}:${KINDS[part.type]}`);
      }
      if (part.children) walk(part.children);
      Object.values(part.options ?? {}).forEach((option) => walk(option.value));
    });
  walk(parse(text));
  return [...names].sort().join(', ');
}

const english = read('en');
const shapes = {};
for (const [id, text] of Object.entries(english)) {
  try {
    shapes[id] = shapeOf('en', id, text);
  } catch (error) {
    problems.push(`en: ${id} is not a valid text: ${error.message}`);
  }
}

const used = new Set();
const areas = [...new Set(Object.keys(english).map((id) => id.split('.')[0]))];
const named = new RegExp(`['"\`]((?:${areas.join('|')})\\.[A-Za-z0-9_.]+)['"\`]`, 'g');
for (const file of readdirSync(SOURCE, { recursive: true, encoding: 'utf8' })) {
  if (!/\.tsx?$/.test(file)) continue;
  const source = readFileSync(join(SOURCE, file), 'utf8');
  for (const [, id] of source.matchAll(named)) {
    used.add(id);
  }
  for (const [, id] of source.matchAll(/\bt\('([a-z]+\.[^']+)'/g)) {
    if (!(id in english)) problems.push(`${file}: no text for ${id}`);
  }
}
for (const id of Object.keys(english)) {
  if (!used.has(id) && !DYNAMIC.test(id)) problems.push(`en: ${id} is never used`);
}
for (const { name } of languages.filter((language) => language.name !== 'en')) {
  const texts = read(name);
  for (const id of Object.keys(english)) {
    if (!(id in texts)) {
      problems.push(`${name}: ${id} is missing`);
      continue;
    }
    try {
      const shape = shapeOf(name, id, texts[id]);
      if (id in shapes && shape !== shapes[id]) problems.push(`${name}: ${id} is given "${shape}", in en "${shapes[id]}"`);
    } catch (error) {
      problems.push(`${name}: ${id} is not a valid text: ${error.message}`);
    }
  }
  for (const id of Object.keys(texts)) if (!(id in english)) problems.push(`${name}: ${id} is not in en`);
}

// A build is stopped by what would be wrong on the screen; leftovers only by `npm run check`.
const strict = process.argv.includes('--check');
const fatal = strict ? problems : problems.filter((problem) => !problem.endsWith('is never used'));
if (fatal.length > 0) {
  console.error(fatal.join('\n'));
  process.exit(1);
}
console.log(`${Object.keys(english).length} texts, ${languages.length} language(s)`);
