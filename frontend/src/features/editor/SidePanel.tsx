import { useRef, useState } from 'react';
import type { KeyboardEvent, PointerEvent as ReactPointerEvent } from 'react';
import { useT } from '~/app/messages';
import { TRIGGER } from '~/features/canvas/catalogue';
import { FlowPanel } from './FlowPanel';
import { isNoteId, notesOf } from './document/notes';
import { LinkPanel } from './LinkPanel';
import { NotePanel } from './NotePanel';
import { PANEL } from './panel';
import classes from './SidePanel.module.css';
import { StepPanel } from './StepPanel';
import { useEditor } from './store';
import { TriggerPanel } from './trigger/TriggerPanel';
import { onStage, useView } from './view';

const NAME = 'signalbox.panel';
const LEAST = 300;
const MOST = 720;
const FIRST = 360;
const STRIDE = 16;

const bounded = (width: number) => Math.min(MOST, Math.max(LEAST, Math.round(width)));
const remembered = () => bounded(Number(window.localStorage.getItem(NAME)) || FIRST);

/** The form of what is selected, at the right; its width is remembered. */
export function SidePanel({ flowId }: { flowId: string }) {
  const t = useT();
  const [width, setWidth] = useState(remembered);
  const latest = useRef(width);
  const change = (next: number) => {
    latest.current = bounded(next);
    setWidth(latest.current);
    window.localStorage.setItem(NAME, String(latest.current));
  };
  const drag = (down: ReactPointerEvent) => {
    const start = latest.current;
    const move = (event: PointerEvent) => change(start + down.clientX - event.clientX);
    const up = () => {
      window.removeEventListener('pointermove', move);
      window.removeEventListener('pointerup', up);
    };
    window.addEventListener('pointermove', move);
    window.addEventListener('pointerup', up);
  };
  const keys = (event: KeyboardEvent) => {
    const by = event.key === 'ArrowLeft' ? STRIDE : event.key === 'ArrowRight' ? -STRIDE : 0;
    if (by === 0) return;
    event.preventDefault();
    change(latest.current + by);
  };
  return (
    <div className={classes.side} style={{ width }}>
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- a separator with a value is a control */}
      <div
        className={classes.edge}
        role="separator"
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- as above
        tabIndex={0}
        aria-orientation="vertical"
        aria-label={t('editor.panel.width')}
        aria-valuenow={width}
        aria-valuemin={LEAST}
        aria-valuemax={MOST}
        onPointerDown={drag}
        onKeyDown={keys}
      />
      <PanelBody flowId={flowId} />
    </div>
  );
}

/** What the panel shows: also used by the outline, where it stands below the list. */
export function PanelBody({ flowId }: { flowId: string }) {
  const t = useT();
  const selected = useView((view) => view.selected);
  const link = useView((view) => view.link);
  const only = selected.length === 1 ? selected[0] : undefined;
  const isStep = useEditor(({ document }) => only !== undefined && only in document.steps);
  const isNote = useEditor(({ document }) => only !== undefined && isNoteId(only) && only in notesOf(document));
  // Back to where the form belongs, unless a list or a hint in the form was closed by it.
  const leave = (event: KeyboardEvent) => {
    const isOpen = (event.target as HTMLElement).getAttribute('aria-expanded') === 'true';
    if (event.key !== 'Escape' || event.defaultPrevented || isOpen || !event.currentTarget.contains(event.target as Node)) return;
    event.preventDefault();
    if (only !== undefined) onStage()?.focus({ step: only });
    else if (link !== null) onStage()?.focus({ link });
  };
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- Escape leaves it from anywhere inside
    <aside id={PANEL} className={classes.panel} aria-label={t('editor.panel')} onKeyDown={leave}>
      {only === TRIGGER ? <TriggerPanel flowId={flowId} /> : isNote && only !== undefined ? <NotePanel key={only} id={only} /> : isStep && only !== undefined ? <StepPanel key={only} flowId={flowId} id={only} /> : selected.length === 0 && link !== null ? <LinkPanel link={link} flowId={flowId} /> : <FlowPanel flowId={flowId} />}
    </aside>
  );
}
