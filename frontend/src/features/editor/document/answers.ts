/** Answers of a form by their names: where they are read, and what follows when one is called otherwise. */
import type { FlowDocument } from '~/api/types';
import { TRIGGER } from '~/features/canvas/catalogue';
import type { Edit } from './document';
import { member } from './paths';

/** What the answers of a form are read from: the trigger's, or those given at a step. */
export const answersOf = (owner: string): string => (owner === TRIGGER ? 'trigger.body' : `steps.${owner}.output.answers`);

/** Where a step, or the trigger, may say something in expressions; not what it is called. */
const SAYING = ['config', 'on_error', 'concurrency', 'retry', 'time_limit', 'lock', 'output'];
const FORM = 'form';
const INITIAL = 'initial';
const LITERAL = /("(?:[^"\\]|\\.)*")/;

type Named = Record<string, unknown>;
const isNamed = (value: unknown): value is Named => typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;

/** Every text that is said in a value; `without` leaves out what stands under that name at its top. */
function textsIn(value: unknown, without?: string): string[] {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) return value.flatMap((one) => textsIn(one));
  return isNamed(value) ? Object.entries(value).flatMap(([name, one]) => (name === without ? [] : textsIn(one))) : [];
}

/**
 * Whether anything beside the form itself may read a name of it: as a member, as a text, or as what
 * is filled in beforehand. Rather once too often: a name that is read stays as it is.
 */
export function isRead(doc: FlowDocument, owner: string, name: string): boolean {
  const says = (text: string) => text === name || new RegExp(`\\.\\s*${name}(?![\\p{L}\\p{N}_$])|"${name}"`, 'u').test(text);
  const own = owner === TRIGGER ? doc.trigger.config : doc.steps[owner]?.config;
  if (isNamed(own?.[INITIAL]) && name in own[INITIAL]) return true;
  const parts: [string, unknown][] = [[TRIGGER, doc.trigger], ...Object.entries(doc.steps)];
  const said = parts.flatMap(([id, part]) => SAYING.flatMap((field) => textsIn((part as Named)[field], id === owner && field === 'config' ? FORM : undefined)));
  return [...said, ...textsIn(doc.settings ?? {})].some(says);
}

/** A text in which what was read from `root` by one name is read by another; other texts as they are. */
export function readingAs(text: string, root: string, from: string, to: string): string {
  const spaced = root.split('.').join('\\s*\\.\\s*');
  const called = new RegExp(`get value\\(\\s*${spaced}\\s*,\\s*"${from}"\\s*\\)`, 'gu');
  const dotted = new RegExp(`(?<![\\p{L}\\p{N}_$.])${spaced}\\s*\\.\\s*${from}(?![\\p{L}\\p{N}_$])`, 'gu');
  const path = member(root, to);
  return text.replace(called, () => path).split(LITERAL).map((part, at) => (at % 2 === 0 ? part.replace(dotted, () => path) : part)).join('');
}

/** Let every expression of the flow read an answer by its new name. The form itself is not touched. */
export const renameReads = (owner: string, from: string, to: string): Edit => {
  const root = answersOf(owner);
  const follow = (value: unknown): unknown => {
    if (typeof value === 'string') return value.includes(from) ? readingAs(value, root, from, to) : value;
    if (!Array.isArray(value) && !isNamed(value)) return value;
    const parts = Object.entries(value).map(([name, one]) => [name, one, follow(one)] as const);
    if (parts.every(([, before, after]) => before === after)) return value;
    return Array.isArray(value) ? parts.map(([, , after]) => after) : Object.fromEntries(parts.map(([name, , after]) => [name, after]));
  };
  const within = (part: Named, isOwner: boolean) => {
    for (const field of SAYING.filter((one) => one in part)) {
      const value = part[field];
      const next = follow(isOwner && field === 'config' && isNamed(value) ? { ...value, [FORM]: undefined } : value);
      if (!isOwner || field !== 'config' || !isNamed(value) || !isNamed(next)) part[field] = next;
      else part[field] = { ...next, [FORM]: value[FORM], ...(isNamed(next[INITIAL]) ? { [INITIAL]: Object.fromEntries(Object.entries(next[INITIAL]).map(([name, one]) => [name === from ? to : name, one])) } : {}) };
    }
  };
  return (doc) => {
    within(doc.trigger, owner === TRIGGER);
    for (const [id, step] of Object.entries(doc.steps)) within(step, id === owner);
    if (doc.settings) doc.settings = follow(doc.settings) as Named;
  };
};
