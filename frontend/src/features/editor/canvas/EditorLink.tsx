import { EdgeLabelRenderer, useStore } from '@xyflow/react';
import type { EdgeProps } from '@xyflow/react';
import { memo } from 'react';
import { useT } from '~/app/messages';
import type { LinkEdgeType } from '~/features/canvas/graph';
import { LinkEdge, linkPath, PlainEdge } from '~/features/canvas/LinkEdge';
import { MANY, useDrawnFar } from '~/features/canvas/zoom';
import { IconPlus } from '~/ui/icons';
import { useEditor } from '../store';
import { focusName, useView } from '../view';
import classes from './EditorCanvas.module.css';

/** A link with a `+` at its middle, which is also what the focus stands on. */
export const EditorLink = memo(function EditorLink(props: EdgeProps<LinkEdgeType>) {
  const far = useDrawnFar();
  // From afar a link is a line: what could be pressed on it would be too small to hit.
  return far && props.selected !== true ? <FarLink {...props} /> : <NearLink {...props} />;
});

/** Of a large flow not even the names of ways, which could not be read. */
function FarLink(props: EdgeProps<LinkEdgeType>) {
  const dropped = useView((view) => view.dropLink === props.id);
  const many = useStore((state) => state.edges.length > MANY);
  return many ? <PlainEdge {...props} selected={dropped} /> : <LinkEdge {...props} selected={dropped} />;
}

function NearLink(props: EdgeProps<LinkEdgeType>) {
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
}
