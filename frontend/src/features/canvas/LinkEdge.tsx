import { BaseEdge, EdgeLabelRenderer, getSmoothStepPath } from '@xyflow/react';
import type { EdgeProps } from '@xyflow/react';
import { memo } from 'react';
import classes from './Canvas.module.css';
import type { LinkEdgeType } from './graph';
import { BODY } from './nesting';

/** The way of a link: also what the editor draws its `+` on. */
export function linkPath(props: Pick<EdgeProps, 'sourceX' | 'sourceY' | 'sourcePosition' | 'targetX' | 'targetY' | 'targetPosition'>) {
  return getSmoothStepPath({
    sourceX: props.sourceX,
    sourceY: props.sourceY,
    sourcePosition: props.sourcePosition,
    targetX: props.targetX,
    targetY: props.targetY,
    targetPosition: props.targetPosition,
    borderRadius: 10,
  });
}

/** The chip stands near the port it names, so that two ways out of one step are told apart at once. */
export function chipPlace(props: Pick<EdgeProps, 'sourceX' | 'sourceY'>, side: boolean): [number, number] {
  return side ? [props.sourceX, props.sourceY + 18] : [props.sourceX + 12, props.sourceY];
}

export const LinkEdge = memo(function LinkEdge(props: EdgeProps<LinkEdgeType>) {
  const { data, selected } = props;
  const [path] = linkPath(props);
  const taken = data?.taken;
  const state = taken === undefined ? undefined : taken > 0 ? 'taken' : 'not';
  const [x, y] = chipPlace(props, data?.side ?? false);
  const anchor = data?.side ? '-50%, -50%' : '0, -50%';
  return (
    <>
      <BaseEdge id={props.id} path={path} className={classes.link} data-side={data?.side || undefined} data-run={state} data-selected={selected || undefined} interactionWidth={24} markerEnd={props.markerEnd} />
      <path className={classes.tip} data-run={state} data-selected={selected || undefined} d={`M ${props.targetX - 7} ${props.targetY - 4.5} L ${props.targetX} ${props.targetY} L ${props.targetX - 7} ${props.targetY + 4.5} Z`} />
      {data?.label ? (
        <EdgeLabelRenderer>
          <span className={classes.chip} data-run={state} data-body={data.port === BODY || undefined} style={{ zIndex: data.layer, transform: `translate(${x}px, ${y}px) translate(${anchor})` }}>
            {data.label}
            {taken !== undefined && taken > 1 && data.port !== BODY ? <span className={classes.times}>{`×${taken}`}</span> : null}
          </span>
        </EdgeLabelRenderer>
      ) : null}
    </>
  );
});

/** Nothing but the line, and what the pointer needs to find it. */
export function PlainEdge(props: EdgeProps<LinkEdgeType>) {
  const [path] = linkPath(props);
  return <path id={props.id} className={`react-flow__edge-path ${classes.link}`} data-side={props.data?.side || undefined} data-selected={props.selected || undefined} d={path} />;
}

/** From a step to the one that takes it back: no way that a run goes by itself. */
export const UndoEdge = memo(function UndoEdge(props: EdgeProps<LinkEdgeType>) {
  const [path] = linkPath(props);
  return (
    <>
      <BaseEdge id={props.id} path={path} className={classes.undo} interactionWidth={0} />
      <path className={classes.tip} d={`M ${props.targetX - 4.5} ${props.targetY - 7} L ${props.targetX} ${props.targetY} L ${props.targetX + 4.5} ${props.targetY - 7} Z`} />
    </>
  );
});
