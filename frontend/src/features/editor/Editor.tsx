import { useMediaQuery } from '@mantine/hooks';
import { useEffect } from 'react';
import type { Flow } from '~/api/types';
import { useT } from '~/app/messages';
import { TRIGGER } from '~/features/canvas/catalogue';
import { HeaderSlot } from '~/features/flows/HeaderSlot';
import { breakpoints } from '~/ui/tokens';
import { useSave } from './autosave';
import type { Autosave } from './autosave';
import { Asker } from './canvas/Asker';
import { Carried } from './canvas/Carried';
import { EditorCanvas } from './canvas/EditorCanvas';
import { Palette } from './canvas/Palette';
import { ConflictBar } from './ConflictBar';
import { Drawer } from './drawer/Drawer';
import classes from './Editor.module.css';
import { HeaderActions } from './header/HeaderActions';
import { ImportDialog } from './ImportDialog';
import { PublishPanel } from './header/PublishPanel';
import { SaveStateMark } from './header/SaveStateMark';
import { KeysDialog } from './KeysDialog';
import type { KeptWork } from './merge/keep';
import { MergePanel } from './merge/MergePanel';
import { OutlineEditor } from './outline/OutlineEditor';
import { SidePanel } from './SidePanel';
import { useEditor } from './store';
import { useEditorCommands } from './useEditorCommands';
import { useEditorKeys } from './useEditorKeys';
import { useLeaveGuard } from './useLeaveGuard';
import { onStage, useView } from './view';

interface Props {
  flow: Flow;
  autosave: Autosave;
  check: () => Promise<void>;
  leftover: KeptWork[];
}

/** The editor of an open draft: palette, canvas or outline, form, drawer. */
export function Editor({ flow, autosave, check, leftover }: Props) {
  const t = useT();
  const narrow = useMediaQuery(`(max-width: ${breakpoints.tablet}px)`, window.innerWidth <= breakpoints.tablet, { getInitialValueInEffect: false });
  const outline = useView((view) => view.outline) || narrow;
  const publishing = useView((view) => view.publishing);
  const merging = useSave((save) => save.merging);
  const readOnly = useEditor((editor) => editor.readOnly);
  const onKeyDown = useEditorKeys();
  useEditorCommands(flow.rights.includes('publish') && flow.state !== 'archived', check);
  useLeaveGuard(autosave);
  useEffect(() => useView.setState({ asking: null }), [outline]);
  return (
    // eslint-disable-next-line jsx-a11y/no-static-element-interactions -- keys that hold everywhere in the editor
    <div className={classes.editor} onKeyDown={onKeyDown}>
      {outline ? null : <button type="button" className={classes.skip} onClick={toOutline}>{t('editor.skip')}</button>}
      {narrow ? (
        <div className={classes.toolbar}>
          <SaveStateMark flow={flow} autosave={autosave} />
          <span className={classes.grow} />
          <HeaderActions flow={flow} check={check} narrow />
        </div>
      ) : (
        <>
          <HeaderSlot place="aside"><SaveStateMark flow={flow} autosave={autosave} /></HeaderSlot>
          <HeaderSlot place="actions"><HeaderActions flow={flow} check={check} narrow={false} /></HeaderSlot>
        </>
      )}
      <ConflictBar flow={flow} autosave={autosave} leftover={leftover} />
      <div className={classes.work}>
        {outline ? (
          <OutlineEditor flowId={flow.id} />
        ) : (
          <>
            {readOnly ? null : <Palette />}
            <div className={classes.stage}><EditorCanvas /></div>
            {merging ? <MergePanel merging={merging} /> : publishing ? <PublishPanel flow={flow} autosave={autosave} /> : <SidePanel flowId={flow.id} />}
          </>
        )}
        {outline && merging ? <MergePanel merging={merging} /> : outline && publishing ? <PublishPanel flow={flow} autosave={autosave} /> : null}
      </div>
      <Drawer flow={flow} autosave={autosave} />
      <Asker />
      <Carried />
      <KeysDialog />
      <ImportDialog />
      <Said label={t('editor.news')} />
    </div>
  );
}

/** The outline, with the focus on its line: the first thing that a screen reader meets. */
function toOutline() {
  const { selected } = useView.getState();
  useView.setState({ outline: true });
  requestAnimationFrame(() => onStage()?.focus({ step: selected[0] ?? TRIGGER }));
}

/** What happened, for a screen reader. The same text twice is said twice. */
function Said({ label }: { label: string }) {
  const said = useView((view) => view.said);
  return (
    <div className="sr-only" role="status" aria-live="polite" aria-label={label}>
      <span key={said.count}>{said.text}</span>
    </div>
  );
}
