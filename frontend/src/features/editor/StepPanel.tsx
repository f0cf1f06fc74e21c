import { ActionIcon, Button, Menu, TextInput, Tooltip } from '@mantine/core';
import type { Finding } from '~/api/types';
import { useT } from '~/app/messages';
import { tintOf, useLookup } from '~/features/canvas/catalogue';
import { insideOf } from '~/features/canvas/nesting';
import { StepIcon } from '~/features/canvas/StepIcon';
import { IconAlertCircle, IconAlertTriangle, IconCopy, IconInfoCircle, IconTrash } from '~/ui/icons';
import { useActions } from './actions';
import { firstLine, restOf } from './canvas/help';
import { fieldOfFinding, findingsOf, useFindings } from './findings';
import { ConfigForm } from './form/ConfigForm';
import { PanelLinks } from './PanelLinks';
import { repairFinding } from './repairing';
import { StandsIn } from './StandsIn';
import { TryStep } from './TryStep';
import { StepRules } from './StepRules';
import classes from './SidePanel.module.css';
import { useEditor } from './store';

/** Title, config and ways of one step. */
export function StepPanel({ flowId, id }: { flowId: string; id: string }) {
  const t = useT();
  const types = useLookup();
  const actions = useActions();
  const step = useEditor(({ document }) => document.steps[id]);
  const readOnly = useEditor((editor) => editor.readOnly);
  const inside = useEditor(({ document }) => insideOf(document, [id]).length);
  if (!step) return null;
  const type = types.step(step.type, step.version);
  return (
    <>
      <div className={classes.head}>
        <StepIcon icon={type?.icon} tint={tintOf(type)} />
        <h2 className={classes.kind}>{type?.title ?? t('canvas.unknown', { kind: step.type })}</h2>
        {readOnly ? null : (
          <>
            <Tooltip label={t('editor.duplicate')}>
              <ActionIcon aria-label={t('editor.duplicate')} onClick={() => actions.duplicate([id])}><IconCopy size={16} aria-hidden /></ActionIcon>
            </Tooltip>
            {inside > 0 ? (
              <Menu position="bottom-end" withinPortal>
                <Menu.Target>
                  <Tooltip label={t('editor.delete')}>
                    <ActionIcon aria-label={t('editor.delete')}><IconTrash size={16} aria-hidden /></ActionIcon>
                  </Tooltip>
                </Menu.Target>
                <Menu.Dropdown>
                  <Menu.Item onClick={() => actions.remove([id])}>{t('editor.delete.frame')}</Menu.Item>
                  <Menu.Item onClick={() => actions.remove([id], true)}>{t('editor.delete.whole', { count: inside })}</Menu.Item>
                </Menu.Dropdown>
              </Menu>
            ) : (
              <Tooltip label={t('editor.delete')}>
                <ActionIcon aria-label={t('editor.delete')} onClick={() => actions.remove([id])}><IconTrash size={16} aria-hidden /></ActionIcon>
              </Tooltip>
            )}
          </>
        )}
      </div>
      {type ? <Help help={type.help} /> : null}
      <div className={classes.title}>
        <TextInput
          data-first
          data-of-document
          label={t('editor.title')}
          disabled={readOnly}
          maxLength={200}
          value={step.title ?? ''}
          onChange={(event) => actions.rename(id, event.currentTarget.value)}
          onBlur={() => useEditor.getState().settle()}
        />
        <div className={classes.id}>{t('editor.step_id', { id })}</div>
        <StandsIn id={id} />
        <TryStep flowId={flowId} id={id} />
      </div>
      <GeneralFindings owner={id} ways={false} />
      {type ? <ConfigForm flowId={flowId} owner={id} type={type} /> : <p className={classes.note}>{t('editor.unknown_help')}</p>}
      <PanelLinks id={id}><GeneralFindings owner={id} ways /></PanelLinks>
      <StepRules flowId={flowId} id={id} type={type} />
    </>
  );
}

export function Help({ help }: { help: string }) {
  const t = useT();
  const more = restOf(help);
  if (more.length === 0) return <p className={classes.help}>{firstLine(help)}</p>;
  return (
    <details className={classes.help}>
      <summary>
        {firstLine(help)} <span className="sr-only">{t('editor.more_help')}</span>
      </summary>
      {more.map((text) => <p key={text}>{text}</p>)}
    </details>
  );
}

const LOOK = { error: IconAlertCircle, warning: IconAlertTriangle, info: IconInfoCircle } as const;

/** About links: they come and go with each of them, and stand at the ways, where they move no field under the pointer. */
const OF_WAYS = new Set(['unlinked_port', 'no_failure_lane', 'unreachable', 'no_way_out', 'leftover_token', 'unbounded_loop', 'starving_join', 'join_may_starve', 'duplicate_link', 'no_trigger_link', 'link_into_trigger']);

/** Findings about the step as a whole, or about a field that the form does not show; those about its ways, or the others. */
export function GeneralFindings({ owner, ways }: { owner: string; ways: boolean }) {
  const findings = useFindings((state) => state.findings);
  const general = findingsOf(findings, owner).filter((finding) => fieldOfFinding(finding) === '' && OF_WAYS.has(finding.code) === ways);
  return general.map((finding) => <FindingNote key={finding.code + finding.message} finding={finding} />);
}

export function FindingNote({ finding }: { finding: Finding }) {
  const t = useT();
  const readOnly = useEditor((editor) => editor.readOnly);
  const Glyph = LOOK[finding.severity];
  return (
    <div className={classes.general} data-severity={finding.severity}>
      <Glyph size={16} aria-hidden />
      <span>
        {[finding.message, finding.fix].filter(Boolean).join(' ')}{' '}
        {finding.repair && !readOnly ? <Button size="compact-xs" onClick={() => repairFinding(finding, t)}>{finding.repair.does}</Button> : null}
      </span>
    </div>
  );
}

