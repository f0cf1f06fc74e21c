import { ExactNumber } from '~/api/exact';
import type { FlowDocument, LinkDocument } from '~/api/types';

/**
 * What differs between two documents, place by place: a step as a whole where only one of them has
 * it, else its fields one by one; a link by where it leaves and where it leads; and the order of the
 * links that leave by one way, since what they lead to starts in that order. The server has the same rules (`apps/steps/changes.py`); both are held to `tests/golden/changes`.
 */
export interface Change {
  path: string[];
  /** `undefined`: nothing stands there. */
  before: unknown;
  after: unknown;
  /** Of a link: where among the links it stood, and stands; and where among those of its way. */
  was?: number;
  at?: number;
  wasIn?: number;
  atIn?: number;
}

type Named = Record<string, unknown>;

const isNamed = (value: unknown): value is Named =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof ExactNumber);

export const pointerOf = (path: readonly string[]): string => path.map((part) => `/${part.replace(/~/g, '~0').replace(/\//g, '~1')}`).join('');

export const isLayout = ({ path }: Change): boolean => path[0] === 'layout';

/** Whether it only puts links of one way in another order: `before` and `after` name those that both documents have. */
export const isOrder = ({ path }: Pick<Change, 'path'>): boolean => path[0] === 'links' && path[1] === 'order' && path.length === 3;

/** The step, or `trigger`, that a change is about; `null` for a link and for the flow itself. */
export function stepOf({ path }: Change): string | null {
  if (path[0] === 'trigger') return 'trigger';
  if (isOrder({ path })) return path[2]?.split(':')[0] ?? null;
  return path[0] === 'steps' || path[0] === 'layout' ? (path[1] ?? null) : null;
}

export const inverted = ({ path, before, after, was, at, wasIn, atIn }: Change): Change => ({
  path,
  before: after,
  after: before,
  ...(at === undefined ? {} : { was: at }),
  ...(was === undefined ? {} : { at: was }),
  ...(atIn === undefined ? {} : { wasIn: atIn }),
  ...(wasIn === undefined ? {} : { atIn: wasIn }),
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

/** Where a link leaves, as a place; without a port it leaves by `done`. */
const wayOf = (link: LinkDocument): string => `${link.from}:${link.port || 'done'}`;

/** Names of links by their ways, in their order. */
function orders(links: readonly LinkDocument[], isMeant: (name: string) => boolean = () => true): Map<string, string[]> {
  const found = new Map<string, string[]>();
  const names = linkNames(links);
  links.forEach((link, at) => {
    const [way, name] = [wayOf(link), names[at] ?? ''];
    if (isMeant(name)) found.set(way, [...(found.get(way) ?? []), name]);
  });
  return found;
}

/** Of each link by its name: its place among all and among those of its way. */
function placed(links: readonly LinkDocument[]): Map<string, [at: number, within: number]> {
  const seen = new Map<string, number>();
  const names = linkNames(links);
  return new Map(
    links.map((link, at) => {
      const within = seen.get(wayOf(link)) ?? 0;
      seen.set(wayOf(link), within + 1);
      return [names[at] ?? '', [at, within]];
    }),
  );
}

function linkChanges(one: LinkDocument[], other: LinkDocument[], found: Change[]): void {
  if (one === other) return;
  const [before, after] = [placed(one), placed(other)];
  for (const name of new Set([...before.keys(), ...after.keys()])) {
    const [was, wasIn] = before.get(name) ?? [];
    const [at, atIn] = after.get(name) ?? [];
    const [old, now] = [was === undefined ? undefined : one[was], at === undefined ? undefined : other[at]];
    if (isSame(old, now)) continue;
    found.push({ path: ['links', name], before: old, after: now, ...(was === undefined || wasIn === undefined ? {} : { was, wasIn }), ...(at === undefined || atIn === undefined ? {} : { at, atIn }) });
  }
  const inBoth = (name: string) => before.has(name) && after.has(name);
  const now = orders(other, inBoth);
  for (const [way, names] of orders(one, inBoth)) {
    if (!isSame(names, now.get(way))) found.push({ path: ['links', 'order', way], before: names, after: now.get(way) });
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

/** Whether a place still is as a change found it. */
export function stands(document: FlowDocument, { path, before }: Change): boolean {
  if (!isOrder({ path })) return isSame(valueAt(document, path), before);
  const meant = Array.isArray(before) ? before : [];
  return areLinks(document.links) && isSame(orders(document.links, (name) => meant.includes(name)).get(path[2] ?? ''), before);
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
  const byName = new Map(changes.filter((change) => !isOrder(change)).map((change) => [change.path[1] ?? '', change]));
  const made = kept.flatMap((link, at): Placed[] => {
    const name = names[at] ?? '';
    const change = byName.get(name);
    return change === undefined ? [{ name, link }] : change.after === undefined ? [] : [{ name, link: change.after as LinkDocument }];
  });
  const known = new Set(names);
  const added = [...byName.values()].filter((change) => change.after !== undefined && !known.has(change.path[1] ?? ''));
  const end = made.length;
  let last = -1;
  for (const change of added.sort((a, b) => (a.at ?? end) - (b.at ?? end))) {
    // What stood before another stays before it, also where both came from two sides.
    last = Math.max(change.at ?? made.length, last + 1);
    made.splice(last, 0, { name: change.path[1] ?? '', link: change.after as LinkDocument, fresh: change });
  }
  const wanted = new Map(changes.filter(isOrder).map(({ path, after }) => [path[2] ?? '', after as string[]]));
  return { ...document, links: inOrder(made, wanted) };
}

interface Placed {
  name: string;
  link: LinkDocument;
  /** The change that brings it. */
  fresh?: Change;
}

/** The links, those of each way in their order; the ways keep their places among each other. */
function inOrder(links: Placed[], wanted: Map<string, string[]>): LinkDocument[] {
  const ways = new Set([...links.flatMap(({ link, fresh }) => (fresh ? [wayOf(link)] : [])), ...wanted.keys()]);
  const slots = new Map<string, number[]>();
  links.forEach(({ link }, at) => {
    const way = wayOf(link);
    if (!ways.has(way)) return;
    const places = slots.get(way);
    if (places) places.push(at);
    else slots.set(way, [at]);
  });
  const made = [...links];
  for (const [way, places] of slots) {
    const here = places.flatMap((at) => links[at] ?? []);
    const rank = new Map((wanted.get(way) ?? []).map((name, at) => [name, at]));
    const known = here.filter(({ fresh }) => fresh === undefined);
    const moved = known.filter(({ name }) => rank.has(name)).sort((a, b) => (rank.get(a.name) ?? 0) - (rank.get(b.name) ?? 0)).values();
    const sorted = known.map((one) => (rank.has(one.name) ? (moved.next().value ?? one) : one));
    for (const one of here) if (one.fresh) sorted.splice(one.fresh.atIn ?? sorted.length, 0, one);
    places.forEach((at, index) => { made[at] = sorted[index] ?? made[at]!; });
  }
  return made.map(({ link }) => link);
}

/** The document with the changes made; one whose step is not there is left out. */
export function applied(document: FlowDocument, changes: readonly Change[]): FlowDocument {
  const links = changes.filter(({ path }) => path[0] === 'links' && path.length > 1);
  const made = changes.filter((change) => !links.includes(change)).reduce((here, change) => put(here, change.path, change.after), document);
  return links.length > 0 ? putLinks(made, links) : made;
}

const isWholeStep = ({ path }: Change): boolean => path[0] === 'steps' && path.length === 2;

export function linkOf({ path, before, after }: Change): LinkDocument | null {
  return path[0] === 'links' && path.length === 2 ? ((after ?? before) as LinkDocument) : null;
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
