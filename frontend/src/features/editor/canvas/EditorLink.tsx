import { EdgeLabelRenderer } from '@xyflow/react';
import type { EdgeProps } from '@xyflow/react';
import { memo } from 'react';
import { useT } from '~/app/messages';
import type { LinkEdgeType } from '~/features/canvas/graph';
import { LinkEdge, linkPath } from '~/features/canvas/LinkEdge';
import { IconPlus } from '~/ui/icons';
import { useEditor } from '../store';
import { focusName, useView } from '../view';
import classes from './EditorCanvas.module.css';

/** A link with a `+` at its middle, which is also what the focus stands on. */
export const EditorLink = memo(function EditorLink(props: EdgeProps<LinkEdgeType>) {
  const t = useT();
  const { id, selected, source, target, data } = props;
  const dropped = useView((view) => view.dropLink === id);
  const hovered = useView((view) => view.hoverLink === id);
  const readOnly = useEditor((editor) => editor.readOnly);
  const from = useEditor(({ document }) => document.steps[source]?.title ?? '') || t('canvas.trigger');
  const to = useEditor(({ document }) => document.steps[target]?.title || target);
  const [, x, y] = linkPath(props);
  const name = data?.label ? t('editor.link.named', { from, to, port: data.label }) : t('editor.link.name', { from, to });
  return (
    <>
      <LinkEdge {...props} selected={selected === true || dropped} />
      {readOnly ? null : (
        <EdgeLabelRenderer>
          <button
            type="button"
            tabIndex={-1}
            className={`${classes.onLink} nodrag nopan`}
            data-focus={focusName({ link: id })}
            data-shown={selected === true || dropped || hovered || undefined}
            style={{ transform: `translate(-50%, -50%) translate(${x}px, ${y}px)` }}
            aria-label={name}
            onClick={(event) => useView.setState({ asking: { kind: 'add', onLink: id, x: event.clientX, y: event.clientY } })}
          >
            <IconPlus size={14} aria-hidden />
          </button>
        </EdgeLabelRenderer>
      )}
    </>
  );
});
