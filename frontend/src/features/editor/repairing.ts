import type { Finding } from '~/api/types';
import type { Translate } from '~/app/messages';
import { applyRepair, fits } from './document/repair';
import { ownerOf } from './findings';
import { useEditor } from './store';
import { onStage, say, select } from './view';

/** Puts a finding right in the way the server says, and shows where. One undo takes it back. */
export function repairFinding(finding: Finding, t: Translate): void {
  const { repair } = finding;
  if (!repair) return;
  const { document, apply } = useEditor.getState();
  // Somebody was faster than the check; what is found in the flow as it is now comes in a moment.
  if (!fits(document, repair)) return say(t('editor.finding.changed'));
  if (!apply(repair.does, applyRepair(repair))) return;
  say(repair.does);
  const owner = ownerOf(finding);
  if (owner === null) return;
  select([owner]);
  onStage()?.reveal(owner);
}
