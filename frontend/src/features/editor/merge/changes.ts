import { ExactNumber } from '~/api/exact';
import type { FlowDocument, LinkDocument } from '~/api/types';

/**
 * What differs between two documents, place by place: a step as a whole where only one of them has
 * it, else its fields one by one; a link by where it leaves and where it leads. The server has the
 * same rules (`apps/steps/changes.py`); both are held to `tests/golden/changes`.
 */
export interface Change {
  path: string[];
  /** `undefined`: nothing stands there. */
  before: unknown;
  after: unknown;
  /** Of a link: where among the links it stood, and stands. */
  was?: number;
  at?: number;
}

type Named = Record<string, unknown>;

const isNamed = (value: unknown): value is Named =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof ExactNumber);

export const pointerOf = (path: readonly string[]): string => path.map((part) => `/${part.replace(/~/g, '~0').replace(/\//g, '~1')}`).join('');

export const isLayout = ({ path }: Change): boolean => path[0] === 'layout';

/** The step, or `trigger`, that a change is about; `null` for a link and for the flow itself. */
export function stepOf({ path }: Change): string | null {
  if (path[0] === 'trigger') return 'trigger';
  return path[0] === 'steps' || path[0] === 'layout' ? (path[1] ?? null) : null;
}

export const inverted = ({ path, before, after, was, at }: Change): Change => ({
  path,
  before: after,
  after: before,
  ...(at === undefined ? {} : { was: at }),
  ...(was === undefined ? {} : { at: was }),
});

/** Whether two values say the same; the order of names says nothing. */
export function isSame(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (one instanceof ExactNumber || other instanceof ExactNumber) return String(one) === String(other) && typeof one !== 'string' && typeof other !== 'string';
  if (Array.isArray(one) && Array.isArray(other)) return one.length === other.length && one.every((part, at) => isSame(part, other[at]));
  if (!isNamed(one) || !isNamed(other)) return false;
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every((name) => name in other && isSame(one[name], other[name]));
}

const namesOf = (one: Named, other: Named): string[] => [...new Set([...Object.keys(one), ...Object.keys(other)])];

/** Fields of named values, however deep; values that share no name are different things. */
function nested(path: string[], one: unknown, other: unknown, found: Change[], always = false): void {
  if (one === other) return;
  if (isNamed(one) && isNamed(other) && (always || Object.keys(one).some((name) => name in other))) {
    for (const name of namesOf(one, other)) nested([...path, name], one[name], other[name], found);
  } else if (!isSame(one, other)) found.push({ path, before: one, after: other });
}

/** A step or the trigger: of another type it is another thing. */
function typed(path: string[], one: unknown, other: unknown, found: Change[]): void {
  if (one === other) return;
  if (!isNamed(one) || !isNamed(other) || !isSame(one['type'], other['type'])) {
    if (!isSame(one, other)) found.push({ path, before: one, after: other });
    return;
  }
  for (const name of namesOf(one, other)) nested([...path, name], one[name], other[name], found, name === 'config');
}

const areLinks = (value: unknown): value is LinkDocument[] =>
  Array.isArray(value) &&
  value.every((one) => isNamed(one) && typeof one['from'] === 'string' && typeof one['to'] === 'string' && (!one['port'] || typeof one['port'] === 'string'));

/** The names of links as places, in their order: `from:port>to`, a second one `#2`. */
export function linkNames(links: readonly LinkDocument[]): string[] {
  const seen = new Map<string, number>();
  return links.map((link) => {
    const name = `${link.from}:${link.port ?? ''}>${link.to}`;
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return count === 1 ? name : `${name}#${count}`;
  });
}

function linkChanges(one: LinkDocument[], other: LinkDocument[], found: Change[]): void {
  if (one === other) return;
  const before = new Map(linkNames(one).map((name, at) => [name, at]));
  const after = new Map(linkNames(other).map((name, at) => [name, at]));
  for (const name of new Set([...before.keys(), ...after.keys()])) {
    const was = before.get(name);
    const at = after.get(name);
    const [old, now] = [was === undefined ? undefined : one[was], at === undefined ? undefined : other[at]];
    if (!isSame(old, now)) found.push({ path: ['links', name], before: old, after: now, ...(was === undefined ? {} : { was }), ...(at === undefined ? {} : { at }) });
  }
}

/** What leads from one document to the other, in the order of the documents. What they share in memory costs nothing. */
export function differences(before: FlowDocument, after: FlowDocument): Change[] {
  const found: Change[] = [];
  for (const name of namesOf(before, after)) {
    const [one, other]: unknown[] = [before[name], after[name]];
    if (name === 'links' && areLinks(one) && areLinks(other)) linkChanges(one, other, found);
    else if (name === 'steps' && isNamed(one) && isNamed(other)) {
      for (const id of one === other ? [] : namesOf(one, other)) typed([name, id], one[id], other[id], found);
    } else if (name === 'trigger') typed([name], one, other, found);
    else nested([name], one, other, found, name === 'settings' || name === 'layout');
  }
  return found;
}

/** What stands at a place; `undefined` where nothing does. */
export function valueAt(document: FlowDocument, path: readonly string[]): unknown {
  if (path[0] === 'links' && path.length > 1) {
    return areLinks(document.links) ? document.links[linkNames(document.links).indexOf(path[1] ?? '')] : undefined;
  }
  return path.reduce<unknown>((here, name) => (isNamed(here) && Object.hasOwn(here, name) ? here[name] : undefined), document);
}

function put(document: FlowDocument, path: string[], value: unknown): FlowDocument {
  const set = (here: Named, depth: number): Named => {
    const name = path[depth] ?? '';
    if (depth === path.length - 1) {
      if (value !== undefined) return { ...here, [name]: value };
      return Object.fromEntries(Object.entries(here).filter(([one]) => one !== name));
    }
    const inner = here[name];
    // What lies inside a step that is not there goes with it.
    if (!isNamed(inner) && ((path[0] === 'steps' && depth === 1) || value === undefined)) return here;
    return { ...here, [name]: set(isNamed(inner) ? inner : {}, depth + 1) };
  };
  return set(document, 0) as FlowDocument;
}

function putLinks(document: FlowDocument, changes: Change[]): FlowDocument {
  const kept = areLinks(document.links) ? document.links : [];
  const names = linkNames(kept);
  const byName = new Map(changes.map((change) => [change.path[1] ?? '', change]));
  const made = kept.flatMap((link, at): LinkDocument[] => {
    const change = byName.get(names[at] ?? '');
    return change === undefined ? [link] : change.after === undefined ? [] : [change.after as LinkDocument];
  });
  const added = changes.filter((change) => change.after !== undefined && !names.includes(change.path[1] ?? ''));
  const end = made.length;
  for (const change of [...added].sort((a, b) => (a.at ?? end) - (b.at ?? end))) made.splice(change.at ?? made.length, 0, change.after as LinkDocument);
  return { ...document, links: made };
}

/** The document with the changes made; one whose step is not there is left out. */
export function applied(document: FlowDocument, changes: readonly Change[]): FlowDocument {
  const links = changes.filter(({ path }) => path[0] === 'links' && path.length > 1);
  const made = changes.filter((change) => !links.includes(change)).reduce((here, change) => put(here, change.path, change.after), document);
  return links.length > 0 ? putLinks(made, links) : made;
}

const isWholeStep = ({ path }: Change): boolean => path[0] === 'steps' && path.length === 2;

export function linkOf({ path, before, after }: Change): LinkDocument | null {
  return path[0] === 'links' && path.length > 1 ? ((after ?? before) as LinkDocument) : null;
}

function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) return value.flatMap(textsIn);
  return isNamed(value) ? Object.values(value).flatMap(textsIn) : [];
}

const namesWay = ({ before, after }: Change, port: string | undefined): boolean =>
  port !== undefined && port !== '' && textsIn(before).includes(port) !== textsIn(after).includes(port);

/** Steps that a step names by `in` or `undo`, before or after. */
function namedSteps(change: Change): string[] {
  const { path, before, after } = change;
  if (path[0] !== 'steps') return [];
  if (isWholeStep(change)) return [before, after].flatMap((value) => (isNamed(value) ? [...textsIn(value['in']), ...textsIn(value['undo'])] : []));
  return path[2] === 'in' || path[2] === 'undo' ? [...textsIn(before), ...textsIn(after)] : [];
}

/**
 * The changes in groups of which no part makes sense alone; moved cards left out. A step that came
 * or went brings its links, what is inside it and what it undoes; a link that was drawn to somewhere
 * else is one that went and one that came; links follow the names of the ways of their step.
 */
export function together(changes: readonly Change[]): Change[][] {
  const told = changes.filter((change) => !isLayout(change));
  const leader = told.map((_change, at) => at);
  const find = (at: number): number => (leader[at] === at ? at : find(leader[at] ?? at));
  const whole = new Map(told.flatMap((change, at) => (isWholeStep(change) ? [[change.path[1] ?? '', at] as const] : [])));
  const byWay = new Map<string, number[]>();
  told.forEach((change, at) => {
    const near: number[] = namedSteps(change).flatMap((id) => whole.get(id) ?? []);
    const link = linkOf(change);
    if (link) {
      for (const end of [link.from, link.to]) near.push(...(whole.has(end) ? [whole.get(end) ?? at] : []));
      const way = JSON.stringify([link.from, link.port ?? null]);
      near.push(...(byWay.get(way) ?? []));
      byWay.set(way, [...(byWay.get(way) ?? []), at]);
      told.forEach((other, index) => {
        if (stepOf(other) === link.from && !isWholeStep(other) && namesWay(other, link.port)) near.push(index);
      });
    }
    for (const one of near) {
      const [first = at, second = at] = [find(at), find(one)].sort((a, b) => a - b);
      leader[second] = first;
    }
  });
  const groups = new Map<number, Change[]>();
  told.forEach((change, at) => groups.set(find(at), [...(groups.get(find(at)) ?? []), change]));
  return [...groups.values()];
}
