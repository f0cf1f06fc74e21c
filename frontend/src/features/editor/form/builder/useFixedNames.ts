import { useFlow, useVersion } from '~/api/flows';
import { TRIGGER } from '~/features/canvas/catalogue';
import { isRead } from '../../document/answers';
import { useEditor } from '../../store';
import { getAt, isRecord } from '../schema';
import type { Path } from '../schema';

const properties = (schema: unknown): Record<string, unknown> => (isRecord(schema) && isRecord(schema['properties']) ? schema['properties'] : {});

/**
 * Which names of a form stay whatever a question is called by now: those that something reads, and
 * those of the version that runs. Until that version is known, all of them do.
 */
export function useFixedNames(flowId: string, owner: string, path: Path): { isFixed: (name: string) => boolean; isColumnFixed: (name: string, column: string) => boolean } {
  const flow = useFlow(flowId).data;
  const version = useVersion(flow?.id, flow?.active_version ?? undefined).data?.document;
  const isKnown = flow !== undefined && (flow.active_version === null || version !== undefined);
  const config = owner === TRIGGER ? version?.trigger.config : version?.steps[owner]?.config;
  const published = properties(config === undefined ? undefined : getAt(config, path));
  const isElsewhere = (name: string) => !isKnown || isRead(useEditor.getState().document, owner, name);
  return {
    isFixed: (name) => name in published || isElsewhere(name),
    isColumnFixed: (name, column) => {
      const table = published[name];
      return (isRecord(table) && column in properties(table['items'])) || isElsewhere(column);
    },
  };
}
