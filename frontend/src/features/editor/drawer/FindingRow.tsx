import { Button, UnstyledButton } from '@mantine/core';
import type { Finding } from '~/api/types';
import { useT } from '~/app/messages';
import type { MessageId } from '~/app/messages';
import { IconAlertCircle, IconAlertTriangle, IconInfoCircle } from '~/ui/icons';
import { useActions } from '../actions';
import { fieldOfFinding, ownerOf } from '../findings';
import { focusField } from '../panel';
import { repairFinding } from '../repairing';
import { useEditor } from '../store';
import { onStage, select, useView } from '../view';
import classes from './Drawer.module.css';

const LOOK = { error: IconAlertCircle, warning: IconAlertTriangle, info: IconInfoCircle } as const;
const WORDS: Record<Finding['severity'], MessageId> = { error: 'editor.severity.error', warning: 'editor.severity.warning', info: 'editor.severity.info' };

/** One finding: what, where, what to do. Pressing it leads to the field; where one way is safe, a button puts it right. */
export function FindingRow({ finding }: { finding: Finding }) {
  const t = useT();
  const actions = useActions();
  const readOnly = useEditor((editor) => editor.readOnly);
  const owner = ownerOf(finding);
  const Glyph = LOOK[finding.severity];
  const jump = () => {
    if (owner === null) return;
    useView.setState({ publishing: false });
    select([owner]);
    onStage()?.reveal(owner);
    focusField(fieldOfFinding(finding));
  };
  return (
    <li className={classes.row}>
      <UnstyledButton className={classes.finding} disabled={owner === null} onClick={jump}>
        <Glyph size={16} role="img" aria-label={t(WORDS[finding.severity])} data-severity={finding.severity} />
        <span className={classes.where}>{owner === null ? t('editor.flow') : actions.titleOf(owner)}</span>
        <span className={classes.what}>
          {finding.message}
          {finding.fix ? <span className={classes.fix}>{` ${finding.fix}`}</span> : null}
          <code className={classes.code}>{finding.code}</code>
        </span>
      </UnstyledButton>
      {finding.repair && !readOnly ? (
        <Button size="xs" className={classes.repair} aria-label={t('editor.finding.repair', { does: finding.repair.does, message: finding.message })} onClick={() => repairFinding(finding, t)}>
          {finding.repair.does}
        </Button>
      ) : null}
    </li>
  );
}
