import type { FlowDocument } from '~/api/types';
import { TRIGGER } from '~/features/canvas/catalogue';
import type { Lookup } from '~/features/canvas/catalogue';
import { readingOrder } from '~/features/canvas/catalogue';
import { flatPaths, outputsOf } from './paths';

/** A place that reads a path, or a step that gives it. */
export interface Use {
  id: string;
  how: 'reads' | 'writes';
  /** The path as it stands there. */
  path: string;
}

const PATH = /[\p{L}_][\p{L}\p{N}_]*(?:\s*\.\s*[\p{L}_][\p{L}\p{N}_]*|\s*\[\s*-?\d+\s*\])+|[\p{L}_][\p{L}\p{N}_]*/gu;
const ROOTS = new Set([TRIGGER, 'steps', 'item', 'event', 'run']);
/** Beside the config, these say something in expressions. */
const FIELDS = ['on_error', 'concurrency', 'retry', 'time_limit', 'lock'];

const partsOf = (path: string): string[] => path.split(/[.[\]\s]+/).filter((part) => part !== '' && !/^-?\d+$/.test(part));

/** The paths that a text reads: all of an expression, and of other texts those that begin as paths do. */
export function pathsIn(text: string): string[] {
  const isExpression = text.startsWith('=');
  const bare = text.replace(/"(?:[^"\\]|\\.)*"/g, ' ');
  return [...bare.matchAll(PATH)].map(([path]) => path.replace(/\s+/g, '')).filter((path) => (isExpression || ROOTS.has(partsOf(path)[0] ?? '')) && (path.includes('.') || ROOTS.has(path)));
}

function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) return value.flatMap(textsIn);
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype ? Object.values(value).flatMap(textsIn) : [];
}

/** Whether the parts wanted stand in the path one after the other; the last may be only begun. */
function holds(path: string[], wanted: string[]): boolean {
  return path.some((_part, at) => wanted.every((one, by) => {
    const here = path[at + by]?.toLowerCase();
    return here !== undefined && (by === wanted.length - 1 ? here.startsWith(one) : here === one);
  }));
}

/**
 * Where a value such as `customer.email` is read or written, in reading order. A place that reads
 * the whole of something the value is a part of counts only where the path is given from its root.
 */
export function usesOf(doc: FlowDocument, term: string, types: Lookup): Use[] {
  const wanted = partsOf(term.trim().toLowerCase().replace(/^=/, ''));
  if (wanted.length === 0) return [];
  const rooted = ROOTS.has(wanted[0] ?? '');
  const isPart = (path: string[]) => rooted && path.length >= 2 && path.length < wanted.length && path.every((part, at) => part.toLowerCase() === wanted[at]);
  const found: Use[] = [];
  const add = (use: Use) => {
    if (!found.some((one) => one.id === use.id && one.how === use.how && one.path === use.path)) found.push(use);
  };
  for (const id of [TRIGGER, ...readingOrder(doc)]) {
    const step = doc.steps[id];
    const config = id === TRIGGER ? doc.trigger.config : step?.config;
    for (const path of flatPaths([outputsOf(doc, id, types)].filter((one) => one !== null)).map((node) => node.path)) {
      const parts = partsOf(path);
      if (holds(parts, wanted) && !found.some((one) => one.id === id && one.how === 'writes' && path.startsWith(`${one.path}.`))) add({ id, how: 'writes', path });
    }
    const texts = [...textsIn(config), ...(step ? FIELDS.flatMap((name) => textsIn(step[name])) : [])];
    for (const path of texts.flatMap(pathsIn)) {
      const parts = partsOf(path);
      if (holds(parts, wanted) || isPart(parts)) add({ id, how: 'reads', path });
    }
  }
  return found;
}
