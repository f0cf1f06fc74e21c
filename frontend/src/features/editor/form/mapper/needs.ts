import { askedOf, useCalledFlow, useContract } from '../../called';
import type { Part } from '../../contract/shape';
import { useEditor } from '../../store';
import { isRecord } from '../schema';
import type { Path } from '../schema';

/**
 * The names that a field of a step must or may give: what the flow it runs asks for, or what the
 * flow itself says that its runs give. Empty where everything is free.
 */
export function useNeeds(owner: string, path: Path): Part[] {
  const step = useEditor(({ document }) => document.steps[owner]);
  const settings = useEditor(({ document }) => document.settings);
  const isCall = step?.type === 'subflow' && path[0] === 'input' && path.length === 1;
  const { flow } = useCalledFlow(isCall ? step.config['flow'] : undefined);
  const contract = useContract(flow, step?.config['version']);
  if (isCall) return askedOf(contract?.input);
  if (step?.type !== 'stop' || path[0] !== 'output' || path.length > 1) return [];
  const own = settings?.['contract'];
  return askedOf(isRecord(own) ? own['output'] : undefined);
}
