import { flatPaths } from '../../document/paths';
import type { PathNode, PathSource } from '../../document/paths';
import type { Part } from '../../contract/shape';
import { freeName } from '../values';

/** One field that is to be given. */
export interface Target {
  name: string;
  required: boolean;
  /** Of a contract; null for a name that people have made up here. */
  part: Part | null;
  value: unknown;
}

/** What is needed first, then what is given beside it. */
export function targetsOf(needs: readonly Part[], given: Record<string, unknown>): Target[] {
  const known = new Set(needs.map((one) => one.name));
  return [
    ...needs.map((part) => ({ name: part.name, required: part.required, part, value: given[part.name] })),
    ...Object.keys(given).filter((name) => !known.has(name)).map((name) => ({ name, required: false, part: null, value: given[name] })),
  ];
}

export interface Offered {
  id: string;
  title: string;
  nodes: PathNode[];
}

const MOST = 300;

/** What can be chosen, by where it comes from; words are looked for in path, meaning and title. */
export function offeredOf(sources: readonly PathSource[], wanted: string): Offered[] {
  const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
  return sources
    .map((source) => ({
      id: source.id,
      title: source.title,
      nodes: flatPaths([source])
        .filter((node) => {
          const text = `${node.path} ${node.meaning ?? ''} ${source.title}`.toLowerCase();
          return words.every((word) => text.includes(word));
        })
        .slice(0, MOST),
    }))
    .filter((one) => one.nodes.length > 0);
}

/** A name for a field that is made of a path: its last part, as far as it is a name. */
export function nameFor(node: PathNode, given: Record<string, unknown>): string {
  const base = node.name.replace(/[^\p{L}\p{N}_]/gu, '') || 'value';
  return freeName(given, base);
}
