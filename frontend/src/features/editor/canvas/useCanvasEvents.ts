import { useReactFlow } from '@xyflow/react';
import type { Connection, EdgeChange, NodeChange, OnConnectEnd, OnConnectStartParams, ReactFlowProps } from '@xyflow/react';
import { useMemo, useRef } from 'react';
import type { RefObject } from 'react';
import type { LinkEdgeType, StepNodeType } from '~/features/canvas/graph';
import type { Point } from '~/features/canvas/graph';
import { useActions } from '../actions';
import type { PortRef } from '../document/links';
import { useEditor } from '../store';
import { select, useView } from '../view';

type Events = ReactFlowProps<StepNodeType, LinkEdgeType>;

const pointOf = (event: MouseEvent | TouchEvent): { x: number; y: number } => {
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
  const from = useRef<PortRef | null>(null);

  return useMemo(() => {
    const drag = gatherMoves();

    const letGo = () => {
      drag.finish();
      const { dragged } = useView.getState();
      useView.setState({ dragged: null });
      if (dragged) actions.move(dragged);
    };

    const onNodesChange = (changes: NodeChange<StepNodeType>[]) => {
      const chosen = new Set(useView.getState().selected);
      const moved: Record<string, Point> = {};
      let choosing = false;
      for (const change of changes) {
        if (change.type === 'position' && change.position && change.dragging) moved[change.id] = [change.position.x, change.position.y];
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
      useView.setState({ asking: { kind: 'add', after: way, place: [at.x, at.y - 32], x, y } });
    };

    return {
      onNodesChange,
      onEdgesChange,
      onNodeDragStop: letGo,
      onSelectionDragStop: letGo,
      onConnect,
      onConnectStart: (_event, params) => {
        from.current = wayOf(params);
        useView.setState({ connecting: true });
      },
      onConnectEnd,
      isValidConnection: ({ source, target }) => source !== target && !useEditor.getState().readOnly,
      onEdgeMouseEnter: (_event, edge) => useView.setState({ hoverLink: edge.id }),
      onEdgeMouseLeave: () => useView.setState({ hoverLink: null }),
      onPaneClick: () => select([]),
    } satisfies Events;
  }, [actions, flow, frame]);
}
