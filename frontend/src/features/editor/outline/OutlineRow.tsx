import { memo } from 'react';
import { useT } from '~/app/messages';
import { isSidePort, TRIGGER, useLookup } from '~/features/canvas/catalogue';
import { drawCard, portWord } from '~/features/canvas/graph';
import { undoers } from '~/features/canvas/nesting';
import { StepIcon } from '~/features/canvas/StepIcon';
import { IconAlertCircle, IconAlertTriangle, IconCornerDownRight, IconNote } from '~/ui/icons';
import { useActions } from '../actions';
import { notesOf } from '../document/notes';
import { bySeverity, findingsOf, useFindings } from '../findings';
import { useEditor } from '../store';
import { useView } from '../view';
import classes from './Outline.module.css';
import type { Row } from './rows';

interface Props {
  row: Row;
  focusable: boolean;
  onChoose: (row: Row, more: boolean) => void;
}

const indent = (level: number) => 12 + (level - 1) * 16;

/** One line of the tree; what it says is its name for a screen reader, too. */
export const OutlineRow = memo(function OutlineRow({ row, focusable, onChoose }: Props) {
  const t = useT();
  const isChosen = useView((view) => 'id' in row && view.selected.includes(row.id));
  const isSelected = (row.kind === 'step' || row.kind === 'note') && isChosen;
  if (row.kind === 'loose') {
    return <div className={classes.loose} role="none" style={{ paddingInlineStart: indent(row.level) }}>{t(row.inside ? 'editor.outline.loose_inside' : 'editor.outline.loose')}</div>;
  }
  return (
    // eslint-disable-next-line jsx-a11y/click-events-have-key-events -- the tree has the keys
    <div
      role="treeitem"
      data-key={row.key}
      data-kind={row.kind}
      tabIndex={focusable ? 0 : -1}
      aria-level={row.level}
      aria-selected={isSelected}
      className={classes.row}
      style={{ paddingInlineStart: indent(row.level) }}
      onClick={(event) => onChoose(row, event.ctrlKey || event.metaKey || event.shiftKey)}
    >
      {row.kind === 'note' ? <NoteLine id={row.id} /> : row.kind === 'step' ? <StepLine id={row.id} /> : <WayLine row={row} />}
    </div>
  );
});

function NoteLine({ id }: { id: string }) {
  const t = useT();
  const text = useEditor(({ document }) => notesOf(document)[id]?.text ?? '');
  return (
    <>
      <IconNote size={20} aria-hidden />
      <span className={classes.words}>
        <span className={classes.title}>{t('editor.note')}</span>
        <span className={classes.line}>{text || t('editor.note.empty')}</span>
      </span>
    </>
  );
}

function StepLine({ id }: { id: string }) {
  const t = useT();
  const types = useLookup();
  const document = useEditor((editor) => editor.document);
  const findings = useFindings((state) => state.findings);
  const mine = [...findingsOf(findings, id)].sort(bySeverity);
  const data = drawCard(document, id, types, t);
  const takesBack = undoers(document).get(id) ?? [];
  const kind = id === TRIGGER ? t('canvas.trigger') : (types.step(document.steps[id]?.type ?? '', document.steps[id]?.version)?.title ?? '');
  const Glyph = mine[0]?.severity === 'error' ? IconAlertCircle : IconAlertTriangle;
  return (
    <>
      <StepIcon icon={data.icon} tint={data.tint} size={24} />
      <span className={classes.words}>
        <span className={classes.title}>{data.title}<span className="sr-only">{`, ${kind}`}</span></span>
        {takesBack.length > 0 ? <span className={classes.line}>{t('canvas.undoes', { title: takesBack.map((one) => document.steps[one]?.title || one).join(', ') })}</span> : null}
        {data.summary ? <span className={classes.line}>{data.summary}</span> : null}
      </span>
      {mine.length > 0 ? (
        <span className={classes.findings} data-severity={mine[0]?.severity}>
          <Glyph size={16} aria-hidden />
          <span aria-hidden>{mine.length}</span>
          <span className="sr-only">{t('canvas.findings', { count: mine.length })}</span>
        </span>
      ) : null}
    </>
  );
}

function WayLine({ row }: { row: Extract<Row, { kind: 'port' | 'jump' }> }) {
  const t = useT();
  const types = useLookup();
  const actions = useActions();
  const port = useEditor(({ document }) => portWord(document, row.id, row.port, types, t));
  const isBody = port !== row.port;
  if (row.kind === 'jump') {
    return (
      <>
        <IconCornerDownRight size={16} aria-hidden />
        <span className={classes.jump}>{t('editor.outline.jump', { title: actions.titleOf(row.to) })}</span>
      </>
    );
  }
  return (
    <span className={classes.port} data-side={isSidePort(row.port) || undefined}>
      {isBody ? t(row.open ? 'editor.outline.body_open' : 'editor.outline.body', { port }) : t(row.open ? 'editor.outline.port_open' : 'editor.outline.port', { port })}
    </span>
  );
}
