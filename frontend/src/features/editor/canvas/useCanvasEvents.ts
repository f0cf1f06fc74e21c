import { useReactFlow } from '@xyflow/react';
import type { Connection, EdgeChange, NodeChange, OnConnectEnd, OnConnectStartParams, ReactFlowProps } from '@xyflow/react';
import { useMemo, useRef } from 'react';
import type { MouseEvent as ReactMouseEvent, RefObject, TouchEvent as ReactTouchEvent } from 'react';
import type { LinkEdgeType, StepNodeType } from '~/features/canvas/graph';
import type { Point } from '~/features/canvas/graph';
import { useLookup } from '~/features/canvas/catalogue';
import { containerOf, containersOf, scopeOfWay } from '~/features/canvas/nesting';
import { useActions } from '../actions';
import type { PortRef } from '../document/links';
import { refusalOf } from '../document/ports';
import { useEditor } from '../store';
import { select, useView } from '../view';
import { frameUnder } from './drop';

type Events = ReactFlowProps<StepNodeType, LinkEdgeType>;

/** React Flow hands on the event of the pointer itself, whatever its types say. */
type Pointer = MouseEvent | TouchEvent | ReactMouseEvent | ReactTouchEvent;

const pointOf = (event: Pointer): { x: number; y: number } => {
  const at = 'clientX' in event ? event : event.changedTouches[0];
  return { x: at?.clientX ?? 0, y: at?.clientY ?? 0 };
};

/** The pointer moves more often than the screen is drawn; cards follow once a frame. */
function gatherMoves() {
  let moves: Record<string, Point> = {};
  let frameId = 0;
  const follow = () => {
    frameId = 0;
    const latest = moves;
    moves = {};
    if (Object.keys(latest).length > 0) useView.setState(({ dragged }) => ({ dragged: { ...dragged, ...latest } }));
  };
  return {
    add: (moved: Record<string, Point>) => {
      if (Object.keys(moved).length === 0) return;
      moves = { ...moves, ...moved };
      if (frameId === 0) frameId = requestAnimationFrame(follow);
    },
    finish: () => {
      cancelAnimationFrame(frameId);
      follow();
    },
  };
}

/** React Flow tells what the pointer did; selection goes to the view, everything else to the document. */
export function useCanvasEvents(frame: RefObject<HTMLDivElement | null>): Events {
  const actions = useActions();
  const flow = useReactFlow();
  const types = useLookup();
  const from = useRef<PortRef | null>(null);

  return useMemo(() => {
    const drag = gatherMoves();

    // Where what is dragged would land: by the pointer, since a card is larger than what it aims at.
    const landing = (event: Pointer, ids: string[]) => {
      const at = flow.screenToFlowPosition(pointOf(event));
      return frameUnder([at.x, at.y], types, ids);
    };
    const onDrag = (event: Pointer, ids: string[]) => {
      const into = landing(event, ids);
      const { document } = useEditor.getState();
      const isNew = ids.some((id) => document.steps[id] && containerOf(document, id) !== into);
      useView.setState({ dropInto: isNew ? into : null });
    };

    const letGo = (event: Pointer, ids: string[]) => {
      drag.finish();
      const { dragged } = useView.getState();
      const into = landing(event, ids);
      useView.setState({ dragged: null, dropInto: null });
      if (!dragged) return;
      const { document } = useEditor.getState();
      const isNew = ids.some((id) => document.steps[id] && containerOf(document, id) !== into);
      if (isNew) actions.put(ids, into, dragged);
      else actions.move(dragged);
    };
    const idsOf = (nodes: readonly { id: string }[]) => nodes.map((node) => node.id);

    // React Flow says where a step stands in its frame; the document keeps its place on the canvas.
    const absolute = (id: string, { x, y }: { x: number; y: number }): Point => {
      const around = flow.getInternalNode(id)?.parentId;
      const corner = around === undefined ? undefined : flow.getInternalNode(around)?.internals.positionAbsolute;
      return [x + (corner?.x ?? 0), y + (corner?.y ?? 0)];
    };

    const onNodesChange = (changes: NodeChange<StepNodeType>[]) => {
      const chosen = new Set(useView.getState().selected);
      const moved: Record<string, Point> = {};
      let choosing = false;
      for (const change of changes) {
        if (change.type === 'position' && change.position && change.dragging) moved[change.id] = absolute(change.id, change.position);
        if (change.type === 'select') {
          choosing = true;
          if (change.selected) chosen.add(change.id);
          else chosen.delete(change.id);
        }
      }
      drag.add(moved);
      if (choosing) select([...chosen], chosen.size > 0 ? null : useView.getState().link);
    };

    const onEdgesChange = (changes: EdgeChange<LinkEdgeType>[]) => {
      for (const change of changes) {
        if (change.type !== 'select') continue;
        if (change.selected) useView.setState({ link: change.id });
        else if (useView.getState().link === change.id) useView.setState({ link: null });
      }
    };

    const wayOf = ({ nodeId, handleId }: OnConnectStartParams): PortRef | null =>
      nodeId ? { from: nodeId, ...(handleId ? { port: handleId } : {}) } : null;

    const onConnect = ({ source, sourceHandle, target }: Connection) => {
      from.current = null;
      actions.connect({ from: source, ...(sourceHandle ? { port: sourceHandle } : {}) }, target);
    };

    // A link may be let go anywhere on a card; on the bare canvas it asks what to add there.
    const onConnectEnd: OnConnectEnd = (event) => {
      const way = from.current;
      from.current = null;
      useView.setState({ connecting: false });
      if (!way) return;
      const { x, y } = pointOf(event);
      const under = document.elementFromPoint(x, y);
      const card = under?.closest<HTMLElement>('.react-flow__node')?.dataset['id'];
      if (card) {
        if (card !== way.from) actions.connect(way, card);
        return;
      }
      if (!under || !frame.current?.contains(under)) return;
      const at = flow.screenToFlowPosition({ x, y });
      // Between the steps of another frame the frame itself is meant.
      const { document: drawn } = useEditor.getState();
      const around = frameUnder([at.x, at.y], types);
      const scope = scopeOfWay(drawn, way.from, way.port, types);
      const meant = around === null || around === scope ? undefined : [around, ...containersOf(drawn, around)].find((one) => containerOf(drawn, one) === scope);
      if (meant !== undefined && meant !== way.from) {
        actions.connect(way, meant);
        return;
      }
      useView.setState({ asking: { kind: 'add', after: way, place: [at.x, at.y - 32], x, y } });
    };

    return {
      onNodesChange,
      onEdgesChange,
      onNodeDrag: (event, _node, nodes) => onDrag(event, idsOf(nodes)),
      onSelectionDrag: (event, nodes) => onDrag(event, idsOf(nodes)),
      onNodeDragStop: (event, _node, nodes) => letGo(event, idsOf(nodes)),
      onSelectionDragStop: (event, nodes) => letGo(event, idsOf(nodes)),
      onConnect,
      onConnectStart: (_event, params) => {
        from.current = wayOf(params);
        useView.setState({ connecting: true });
      },
      onConnectEnd,
      isValidConnection: ({ source, sourceHandle, target }) => {
        const { document, readOnly } = useEditor.getState();
        return source !== target && !readOnly && refusalOf(document, { from: source, ...(sourceHandle ? { port: sourceHandle } : {}) }, target, types) === null;
      },
      onEdgeMouseEnter: (_event, edge) => useView.setState({ hoverLink: edge.id }),
      onEdgeMouseLeave: () => useView.setState({ hoverLink: null }),
      // Twice on the bare canvas: a step there.
      onPaneClick: (event) => {
        select([]);
        if (event.detail !== 2 || useEditor.getState().readOnly) return;
        const at = flow.screenToFlowPosition({ x: event.clientX, y: event.clientY });
        useView.setState({ asking: { kind: 'add', place: [at.x - 112, at.y - 32], into: frameUnder([at.x, at.y], types), x: event.clientX, y: event.clientY } });
      },
    } satisfies Events;
  }, [actions, flow, frame, types]);
}
