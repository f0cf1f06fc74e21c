import { describe, expect, it } from 'vitest';
import { sampleFlow, types } from '../../document/fixtures';
import { flatPaths, pathsFor } from '../../document/paths';

/** What later steps may read of a decision table in the place of `note`. */
function reads(config: Record<string, unknown>): string[] {
  const flow = sampleFlow();
  const note = flow.steps['note'];
  if (note) flow.steps['note'] = { ...note, type: 'map', config };
  const lookup: typeof types = {
    ...types,
    step: (kind, version) => {
      const found = types.step(kind, version);
      return found && kind === 'map' ? { ...found, output_from: 'outputs', output_schema: null } : found;
    },
  };
  return flatPaths(pathsFor(flow, 'end', lookup, null)).map((node) => node.path).filter((path) => path.startsWith('steps.note.output.'));
}

describe('the results of a decision table', () => {
  const outputs = [{ name: 'size' }, { name: 'fee' }, {}, 3];

  it('are read by the names of its columns', () => {
    expect(reads({ outputs, hit: 'unique' })).toEqual(['steps.note.output.size', 'steps.note.output.fee']);
    expect(reads({ outputs: [{ name: 'fee' }], hit: 'collect', aggregate: 'sum' })).toEqual(['steps.note.output.fee']);
  });

  it('are lists where several rules are taken', () => {
    expect(reads({ outputs, hit: 'collect' })).toEqual(['steps.note.output.results']);
    expect(reads({ outputs: [{ name: 'fee' }], hit: 'collect' })).toEqual(['steps.note.output.fee']);
  });
});
