import type { Finding } from '~/api/types';
import { fieldOfFinding, findingsOf, isError } from '../findings';
import { expressionOf } from './feel/text';
import type { Fault } from './FormContext';
import { getAt, readPointer } from './schema';

export interface Said {
  errors: Map<string, string>;
  warnings: Map<string, string>;
  faults: Map<string, Fault>;
}

/** What the check says of a step, by the names of its fields. */
export function saidOf(findings: readonly Finding[], owner: string, config: unknown): Said {
  const said: Said = { errors: new Map(), warnings: new Map(), faults: new Map() };
  for (const finding of findingsOf(findings, owner)) {
    const name = fieldOfFinding(finding);
    const where = isError(finding) ? said.errors : said.warnings;
    where.set(name, [where.get(name), finding.message, finding.fix].filter(Boolean).join(' '));
    if (!finding.position || said.faults.has(name)) continue;
    const path = readPointer(finding.path ?? '');
    const stored = getAt(config, path.slice(path.indexOf('config') + 1));
    const lead = typeof stored === 'string' ? leadOf(stored) : 0;
    const { start, end } = finding.position;
    said.faults.set(name, { from: Math.max(0, start - lead), to: Math.max(0, end - lead), message: finding.message });
  }
  return said;
}

/** A place counts from behind the `=`; the field also leaves out the space that follows it. */
const leadOf = (stored: string): number => (stored.startsWith('=') && !stored.startsWith('==') ? stored.length - 1 - expressionOf(stored).length : 0);
