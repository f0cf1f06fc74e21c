import { Background, BackgroundVariant, ReactFlow, ReactFlowProvider, useReactFlow } from '@xyflow/react';
import '@xyflow/react/dist/style.css';
import { useEffect, useMemo, useRef, useState } from 'react';
import type { KeyboardEvent, ReactNode } from 'react';
import type { FlowDocument } from '~/api/types';
import { useT } from '~/app/messages';
import { motion } from '~/ui/tokens';
import classes from './Canvas.module.css';
import { CanvasControls } from './CanvasControls';
import { TRIGGER } from './catalogue';
import type { Lookup } from './catalogue';
import { places } from './graph';
import { LinkEdge, UndoEdge } from './LinkEdge';
import type { CardRunState } from './StepCard';
import { FrameNode, StepNode } from './StepNode';
import { useRunDrawing } from './useRunDrawing';
import { MOVES, walk } from './walk';
import { GRID, useFar } from './zoom';

const nodeTypes = { step: StepNode, frame: FrameNode };
const edgeTypes = { link: LinkEdge, undo: UndoEdge };
const FIT = { padding: 0.06, maxZoom: 1 };
const PRO = { hideAttribution: true };

interface Props {
  document: FlowDocument;
  types: Lookup;
  selected?: string;
  onSelect?: (id: string | undefined) => void;
  /** State of each step on a run. */
  runs?: Record<string, CardRunState>;
  /** How often each link was taken, by `linkId`. */
  taken?: Record<string, number>;
  children?: ReactNode;
}

function View({ document, types, selected, onSelect, runs, taken, children }: Props) {
  const t = useT();
  const far = useFar();
  const flow = useReactFlow();
  const frame = useRef<HTMLDivElement>(null);
  const at = useMemo(() => places(document), [document]);
  // A run is read again and again: what is drawn must not hang on who hears of a click.
  const heard = useRef(onSelect);
  useEffect(() => { heard.current = onSelect; });
  const [clicks] = useState(() => ({ onNodeClick: (_event: unknown, node: { id: string }) => heard.current?.(node.id), onPaneClick: () => heard.current?.(undefined) }));
  const { nodes, edges } = useRunDrawing({ document, types, selected, runs, taken });

  const focus = (id: string) => {
    const place = at[id];
    if (place) void flow.setCenter(place[0] + 112, place[1] + 32, { zoom: Math.max(flow.getZoom(), 0.6), duration: motion.in });
    frame.current?.querySelector<HTMLElement>(`.react-flow__node[data-id="${CSS.escape(id)}"]`)?.focus({ preventScroll: true });
  };
  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>) => {
    const here = (event.target as HTMLElement).closest<HTMLElement>('.react-flow__node')?.dataset['id'];
    if (!here) {
      if (event.key === 'Enter' && event.target === frame.current) focus(selected ?? TRIGGER);
      return;
    }
    if (event.key === 'Escape') frame.current?.focus();
    else if (event.key === 'Enter' || event.key === ' ') onSelect?.(here);
    else if (event.key in MOVES) focus(walk(document, here, MOVES[event.key]!, at));
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    /* eslint-disable jsx-a11y/no-noninteractive-element-interactions, jsx-a11y/no-noninteractive-tabindex -- one tab stop with its own keys */
    <div ref={frame} className={classes.canvas} data-zoom={far ? 'far' : undefined} tabIndex={0} role="application" aria-label={t('canvas.label')} onKeyDown={onKeyDown}>
      <ReactFlow
        nodes={nodes}
        edges={edges}
        nodeTypes={nodeTypes}
        edgeTypes={edgeTypes}
        fitView
        fitViewOptions={FIT}
        minZoom={0.1}
        maxZoom={2}
        nodesDraggable={false}
        nodesConnectable={false}
        nodesFocusable={false}
        edgesFocusable={false}
        disableKeyboardA11y
        zIndexMode="manual"
        {...clicks}
        proOptions={PRO}
      >
        <Background variant={BackgroundVariant.Dots} gap={GRID} size={1.5} color="var(--sb-grid)" />
        {children}
      </ReactFlow>
      <CanvasControls />
    </div>
  );
}

/** A flow to look at: a version, a draft, or a run on it. */
export function FlowCanvas(props: Props) {
  return (
    <ReactFlowProvider zIndexMode="manual">
      <View {...props} />
    </ReactFlowProvider>
  );
}
