import type { FlowDocument, LinkDocument, StepDocument } from '~/api/types';
import { applied, differences, isLayout, isOrder, isSame, linkNames, linkOf, pointerOf, together } from './changes';
import type { Change } from './changes';

export type Side = 'mine' | 'theirs' | 'both';

/** Changes of both sides that cannot both be made as they are. */
export interface Conflict {
  /** The place of the first of them. */
  id: string;
  mine: Change[];
  theirs: Change[];
  /** What would keep the work of both; `null` where nothing can. */
  both: Change[] | null;
}

export interface Merge {
  base: FlowDocument;
  /** What one side alone did, or both did alike. */
  free: { mine: Change[]; theirs: Change[] };
  conflicts: Conflict[];
}

const startsWith = (path: readonly string[], start: readonly string[]) => start.length <= path.length && start.every((part, at) => part === path[at]);
const isRemoval = ({ path, after }: Change) => path[0] === 'steps' && path.length === 2 && after === undefined;
const agree = (one: Change, other: Change) => pointerOf(one.path) === pointerOf(other.path) && isSame(one.after, other.after);

/** Steps that a change needs to be there once it is made. */
function needs(change: Change): string[] {
  const link = linkOf(change);
  if (link) return change.after === undefined ? [] : [link.from, link.to];
  const [root, , field] = change.path;
  if (root !== 'steps') return [];
  const value = change.path.length === 2 ? (change.after as StepDocument | undefined) : { [field ?? '']: change.after };
  return [value?.['in'], value?.['undo']].filter((one): one is string => typeof one === 'string');
}

/** Whether two links leave by one way for different steps: together they would fork it. */
function fork(one: Change, other: Change): boolean {
  const [mine, theirs] = [linkOf(one), linkOf(other)];
  if (!mine || !theirs || one.before !== undefined || other.before !== undefined || one.after === undefined || other.after === undefined) return false;
  return mine.from === theirs.from && (mine.port ?? '') === (theirs.port ?? '') && mine.to !== theirs.to;
}

function clash(one: Change, other: Change): boolean {
  if (agree(one, other)) return false;
  if (startsWith(one.path, other.path) || startsWith(other.path, one.path)) return true;
  if (isRemoval(one) && needs(other).includes(one.path[1] ?? '')) return true;
  if (isRemoval(other) && needs(one).includes(other.path[1] ?? '')) return true;
  return fork(one, other);
}

/**
 * Brings the work of two together, from the document that both began with. Where each did something
 * else, both are kept; where both did the same place differently, a person has to choose. Pure. Of
 * cards that both moved, mine stand where I put them: nobody's meaning is lost by it.
 */
export function merge(base: FlowDocument, mine: FlowDocument, theirs: FlowDocument): Merge {
  const [own, other] = [differences(base, mine), differences(base, theirs)];
  const ours = together(own).map((changes) => ({ side: 'mine' as const, changes }));
  const others = together(other).map((changes) => ({ side: 'theirs' as const, changes }));
  const all = [...ours, ...others];
  const leader = all.map((_group, at) => at);
  const find = (at: number): number => (leader[at] === at ? at : find(leader[at] ?? at));
  const inConflict = new Set<number>();
  const agreed = new Set([...own.filter((one) => other.some((two) => agree(one, two))), ...other.filter((two) => own.some((one) => agree(one, two)))]);
  const open = (changes: Change[]) => changes.filter((change) => !agreed.has(change));
  ours.forEach((group, at) => {
    others.forEach((their, index) => {
      const there = ours.length + index;
      if (!open(group.changes).some((one) => open(their.changes).some((two) => clash(one, two)))) return;
      inConflict.add(at).add(there);
      leader[find(there)] = find(at);
    });
  });
  const found = new Map<number, { mine: Change[]; theirs: Change[] }>();
  const free: Merge['free'] = { mine: own.filter(isLayout), theirs: other.filter((change) => isLayout(change) && !own.some((one) => pointerOf(one.path) === pointerOf(change.path))) };
  all.forEach(({ side, changes }, at) => {
    if (!inConflict.has(at)) return free[side].push(...changes);
    const into = found.get(find(at)) ?? { mine: [], theirs: [] };
    into[side].push(...changes);
    found.set(find(at), into);
  });
  const conflicts = [...found.values()].map((one) => ({ id: pointerOf((one.mine[0] ?? one.theirs[0])?.path ?? []), ...one, both: bothOf(one, mine, theirs) }));
  return { base, free, conflicts };
}

/** The document that comes of it; a conflict that nobody has decided yet shows theirs. */
export function merged({ base, free, conflicts }: Merge, choices: Readonly<Record<string, Side>> = {}): FlowDocument {
  const chosen = conflicts.flatMap((conflict) => conflict[choices[conflict.id] ?? 'theirs'] ?? conflict.theirs);
  const mine = [...free.theirs, ...free.mine, ...chosen];
  const last = new Map(mine.map((change) => [pointerOf(change.path), change]));
  return withoutLooseEnds(applied(base, [...last.values()]));
}

/** Takes away links of which an end is gone because the other's choice was taken. */
function withoutLooseEnds(document: FlowDocument): FlowDocument {
  if (!Array.isArray(document.links)) return document;
  const isThere = (id: string) => id === 'trigger' || document.steps[id] !== undefined;
  const links = document.links.filter((link) => isThere(link.from) && isThere(link.to));
  return links.length === document.links.length ? document : { ...document, links };
}

function bothOf({ mine, theirs }: { mine: Change[]; theirs: Change[] }, own: FlowDocument, other: FlowDocument): Change[] | null {
  if ([...mine, ...theirs].some(isRemoval)) return null;
  const clashing = mine.flatMap((one) => theirs.filter((two) => clash(one, two) && !fork(one, two)).map((two) => [one, two] as const));
  if (clashing.length === 0) return [...theirs, ...mine];
  if (clashing.every(([one, two]) => isNewStep(one) && isNewStep(two) && one.path[1] === two.path[1])) {
    const taken = new Set([...Object.keys(own.steps), ...Object.keys(other.steps)]);
    return [...theirs, ...clashing.reduce((changes, [one]) => renamedStep(changes, one.path[1] ?? '', freeId(one.path[1] ?? '', taken)), mine)];
  }
  const [pair] = clashing;
  if (!pair || clashing.length > 1 || mine.length > 1 || theirs.length > 1) return null;
  const value = bothValues(pair[0], pair[1]);
  return value === null ? null : [{ ...pair[1], after: value }];
}

const isNewStep = ({ path, before }: Change) => path[0] === 'steps' && path.length === 2 && before === undefined;

/** Two lists, or two long texts, of which both can stand. */
function bothValues(mine: Change, theirs: Change): unknown {
  if (pointerOf(mine.path) !== pointerOf(theirs.path) || isOrder(mine)) return null;
  const [one, two, before]: unknown[] = [mine.after, theirs.after, mine.before];
  if (Array.isArray(one) && Array.isArray(two)) {
    const was: readonly unknown[] = Array.isArray(before) ? before : [];
    const own: readonly unknown[] = one;
    const other: readonly unknown[] = two;
    const has = (list: readonly unknown[], item: unknown) => list.some((each) => isSame(each, item));
    // What either took out stays out; rows that only one of them changed would else stand twice.
    return [...other.filter((item) => !has(was, item) || has(own, item)), ...own.filter((item) => !has(was, item) && !has(other, item))];
  }
  const isText = (value: unknown): value is string => typeof value === 'string' && !value.startsWith('=') && (value.includes('\n') || value.length > 60);
  return isText(one) && isText(two) ? `${two}\n\n${one}` : null;
}

function freeId(id: string, taken: Set<string>): string {
  for (let number = 2; ; number += 1) {
    const wish = `${id.slice(0, 58)}_${number}`;
    if (taken.has(wish)) continue;
    taken.add(wish);
    return wish;
  }
}

/** The changes, with the step they add called otherwise: in links, in `in` and `undo`, in what expressions read. */
function renamedStep(changes: Change[], id: string, name: string): Change[] {
  const reads = new RegExp(`\\bsteps\\.${id}\\b`, 'g');
  const rename = (value: unknown, key?: string): unknown => {
    if (typeof value === 'string') return (key === 'in' || key === 'undo') && value === id ? name : value.replace(reads, `steps.${name}`);
    if (Array.isArray(value)) return value.map((one) => rename(one));
    if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
    return Object.fromEntries(Object.entries(value).map(([one, inner]) => [one, rename(inner, one)]));
  };
  return changes.map((change) => {
    const link = linkOf(change);
    if (link && change.after !== undefined) {
      const made: LinkDocument = { ...link, from: link.from === id ? name : link.from, to: link.to === id ? name : link.to };
      return { ...change, path: ['links', linkNames([made])[0] ?? ''], after: made };
    }
    const path = change.path[0] === 'steps' && change.path[1] === id ? ['steps', name, ...change.path.slice(2)] : change.path;
    return { ...change, path, after: rename(change.after, path.at(-1)) };
  });
}
