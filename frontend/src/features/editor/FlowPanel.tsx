import { Button, TextInput } from '@mantine/core';
import { useT } from '~/app/messages';
import { TRIGGER } from '~/features/canvas/catalogue';
import { useActions } from './actions';
import { FlowRules } from './FlowRules';
import { ownerOf, useFindings } from './findings';
import { TriggerAddress } from './trigger/TriggerAddress';
import { SelectionPanel } from './SelectionPanel';
import classes from './SidePanel.module.css';
import { FindingNote } from './StepPanel';
import { useEditor } from './store';
import { select, useView } from './view';

/** The flow as a whole while no single step is selected: its name, its start, what is selected together. */
export function FlowPanel({ flowId }: { flowId: string }) {
  const t = useT();
  const actions = useActions();
  const name = useEditor(({ document }) => document.name);
  const count = useEditor(({ document }) => Object.keys(document.steps).length);
  const readOnly = useEditor((editor) => editor.readOnly);
  const selected = useView((view) => view.selected);
  const findings = useFindings((state) => state.findings);
  if (selected.length > 1) return <SelectionPanel />;
  return (
    <>
      <div className={classes.head}><div className={classes.kind}><h2>{t('editor.flow')}</h2></div></div>
      <TextInput
        data-first
        data-of-document
        label={t('editor.flow_name')}
        disabled={readOnly}
        maxLength={150}
        error={name.trim() === '' ? t('editor.flow_name_empty') : undefined}
        value={name}
        onChange={(event) => actions.renameFlow(event.currentTarget.value)}
        onBlur={() => useEditor.getState().settle()}
      />
      {count === 0 ? <p className={classes.note} style={{ marginTop: 16 }}>{t('editor.empty')}</p> : null}
      <h3 className={classes.section}>{t('editor.start')}</h3>
      <TriggerAddress flowId={flowId} />
      <Button size="xs" mt={8} onClick={() => select([TRIGGER])}>{t(readOnly ? 'editor.start_show' : 'editor.start_change')}</Button>
      <FlowRules flowId={flowId} />
      {findings.filter((finding) => ownerOf(finding) === null).map((finding) => <FindingNote key={finding.code + finding.message} finding={finding} />)}
    </>
  );
}
