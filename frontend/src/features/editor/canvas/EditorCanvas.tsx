import { Background, BackgroundVariant, ConnectionLineType, MiniMap, ReactFlow, ReactFlowProvider, SelectionMode, useStore } from '@xyflow/react';
import '@xyflow/react/dist/style.css';
import { startTransition, useEffect, useMemo, useRef, useState } from 'react';
import type { CSSProperties } from 'react';
import type { FlowDocument } from '~/api/types';
import { useT } from '~/app/messages';
import { useLookup } from '~/features/canvas/catalogue';
import { CanvasControls } from '~/features/canvas/CanvasControls';
import { UndoEdge } from '~/features/canvas/LinkEdge';
import { useOwnMeasures } from '~/features/canvas/useOwnMeasures';
import { GRID, MANY, SNAP, useFar } from '~/features/canvas/zoom';
import type { StepNodeType } from '~/features/canvas/graph';
import { useFindings } from '../findings';
import { useEditor } from '../store';
import { useView } from '../view';
import classes from './EditorCanvas.module.css';
import { EditorControls } from './EditorControls';
import { EditorLink } from './EditorLink';
import { EditorFrame, EditorNode, EditorNote } from './EditorNode';
import { useCanvasEvents } from './useCanvasEvents';
import { useCanvasKeys } from './useCanvasKeys';
import { useDrawnLinks, useDrawnNodes } from './useDrawing';
import { useStage } from './useStage';

const nodeTypes = { step: EditorNode, frame: EditorFrame, note: EditorNote };
const edgeTypes = { link: EditorLink, undo: UndoEdge };
const FIT = { padding: 0.15, maxZoom: 1 };
/** In the overview a frame must not hide what is inside. */
const mapColor = (node: StepNodeType) => (node.type === 'note' ? 'var(--sb-waiting-fill)' : node.type === 'frame' ? 'var(--sb-line)' : 'var(--sb-control)');
/** From here on there is an overview. */
const SEVERAL = 15;

/** From afar a link is so much thicker that about a pixel of it is left. */
const farLine = (state: { transform: readonly number[] }): number => Math.min(16, Math.round(1.2 / Math.max(0.05, state.transform[2] ?? 1)));

/** So often the picture follows while somebody types; a card at the side of the eye need not change with each letter. */
const FOLLOW_MS = 200;

/** The document as it is drawn: while somebody types, the field comes first and the picture when there is time. */
function useShownDocument(): FlowDocument {
  const [shown, setShown] = useState(() => useEditor.getState().document);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const follow = () => {
      timer = undefined;
      startTransition(() => setShown(useEditor.getState().document));
    };
    const stop = useEditor.subscribe(({ document, past }) => {
      const isTyping = past.at(-1)?.merge !== undefined;
      if (isTyping) return void (timer ??= setTimeout(follow, FOLLOW_MS));
      clearTimeout(timer);
      timer = undefined;
      setShown(document);
    });
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, []);
  return shown;
}

function Surface() {
  const t = useT();
  useOwnMeasures();
  const types = useLookup();
  const frame = useRef<HTMLDivElement>(null);
  const far = useFar();
  const document = useShownDocument();
  const readOnly = useEditor((editor) => editor.readOnly);
  const findings = useFindings((state) => state.findings);
  const selected = useView((view) => view.selected);
  const link = useView((view) => view.link);
  const dragged = useView((view) => view.dragged);
  const dropInto = useView((view) => view.dropInto);
  const connecting = useView((view) => view.connecting);
  const carrying = useView((view) => view.carried !== null);
  const count = Object.keys(document.steps).length;
  const [wanted, setMap] = useState<boolean | null>(null);
  const map = wanted ?? count >= SEVERAL;
  const line = useStore(farLine);
  const nodes = useDrawnNodes({ document, types, findings, selected, dragged, dropInto });
  const hasFrames = nodes.some((node) => node.type === 'frame');
  const edges = useDrawnLinks(document, types, link);
  const events = useCanvasEvents(frame);
  const onKeyDown = useCanvasKeys(frame);
  useStage(frame);
  // While a card is dragged, all of this is drawn once a frame: what does not change stays as it is.
  const tools = useMemo(() => <CanvasControls><EditorControls map={map} onMap={() => setMap(!map)} /></CanvasControls>, [map]);
  const back = useMemo(() => <Background variant={BackgroundVariant.Dots} gap={GRID} size={1.5} color="var(--sb-grid)" />, []);
  const overview = useMemo(() => (map ? <MiniMap pannable zoomable ariaLabel={t('editor.map')} nodeColor={mapColor} maskColor="var(--sb-scrim)" nodeBorderRadius={20} /> : null), [map, t]);
  return (
    /* eslint-disable jsx-a11y/no-noninteractive-element-interactions, jsx-a11y/no-noninteractive-tabindex -- one tab stop with its own keys */
    <div
      ref={frame}
      className={classes.frame}
      data-zoom={far ? 'far' : undefined}
      data-connecting={connecting || undefined}
      data-carrying={carrying || undefined}
      data-canvas
      style={{ '--sb-far-line': `${line}px` } as CSSProperties}
      tabIndex={0}
      role="application"
      aria-roledescription={t('editor.canvas.role')}
      aria-label={t('editor.canvas.label', { count })}
      onKeyDown={onKeyDown}
    >
      <ReactFlow
        nodes={nodes}
        edges={edges}
        nodeTypes={nodeTypes}
        edgeTypes={edgeTypes}
        fitView
        fitViewOptions={FIT}
        minZoom={0.05}
        maxZoom={2}
        snapToGrid
        snapGrid={SNAP}
        nodesDraggable={!readOnly}
        nodesConnectable={!readOnly}
        nodesFocusable={false}
        edgesFocusable={false}
        disableKeyboardA11y
        deleteKeyCode={null}
        selectionKeyCode="Shift"
        multiSelectionKeyCode={['Control', 'Meta']}
        // With frames a box around what is inside must not take hold of what is around.
        selectionMode={hasFrames ? SelectionMode.Full : SelectionMode.Partial}
        zIndexMode="manual"
        panOnScroll
        zoomOnDoubleClick={false}
        // Of a large flow only what is seen is in the page.
        onlyRenderVisibleElements={count > MANY}
        connectionLineType={ConnectionLineType.SmoothStep}
        connectionRadius={28}
        connectOnClick={false}
        proOptions={{ hideAttribution: true }}
        {...events}
      >
        {back}
        {overview}
      </ReactFlow>
      {tools}
    </div>
  );
}

/** The flow to draw on. */
export function EditorCanvas() {
  return (
    <ReactFlowProvider zIndexMode="manual">
      <Surface />
    </ReactFlowProvider>
  );
}
