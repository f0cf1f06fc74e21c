import { memo } from 'react';
import { useT } from '~/app/messages';
import { isSidePort, TRIGGER, useLookup } from '~/features/canvas/catalogue';
import { drawNode } from '~/features/canvas/graph';
import { StepIcon } from '~/features/canvas/StepIcon';
import { IconAlertCircle, IconAlertTriangle, IconCornerDownRight } from '~/ui/icons';
import { useActions } from '../actions';
import { bySeverity, findingsOf, useFindings } from '../findings';
import { useEditor } from '../store';
import { useView } from '../view';
import classes from './Outline.module.css';
import type { Row } from './rows';

interface Props {
  row: Row;
  focusable: boolean;
  onChoose: (row: Row) => void;
}

/** One line of the tree; what it says is its name for a screen reader, too. */
export const OutlineRow = memo(function OutlineRow({ row, focusable, onChoose }: Props) {
  const t = useT();
  const selected = useView((view) => view.selected);
  const isSelected = row.kind === 'step' && selected.includes(row.id);
  if (row.kind === 'loose') return <div className={classes.loose} role="none">{t('editor.outline.loose')}</div>;
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
      style={{ paddingInlineStart: 12 + (row.level - 1) * 16 }}
      onClick={() => onChoose(row)}
    >
      {row.kind === 'step' ? <StepLine id={row.id} /> : <WayLine row={row} />}
    </div>
  );
});

function StepLine({ id }: { id: string }) {
  const t = useT();
  const types = useLookup();
  const document = useEditor((editor) => editor.document);
  const findings = useFindings((state) => state.findings);
  const mine = [...findingsOf(findings, id)].sort(bySeverity);
  const { data } = drawNode(document, id, types, t, [0, 0]);
  const kind = id === TRIGGER ? t('canvas.trigger') : (types.step(document.steps[id]?.type ?? '', document.steps[id]?.version)?.title ?? '');
  const Glyph = mine[0]?.severity === 'error' ? IconAlertCircle : IconAlertTriangle;
  return (
    <>
      <StepIcon icon={data.icon} tint={data.tint} size={24} />
      <span className={classes.words}>
        <span className={classes.title}>{data.title}<span className="sr-only">{`, ${kind}`}</span></span>
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
  const actions = useActions();
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
      {t(row.open ? 'editor.outline.port_open' : 'editor.outline.port', { port: row.port })}
    </span>
  );
}
