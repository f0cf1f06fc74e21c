import { Handle, Position } from '@xyflow/react';
import type { NodeProps } from '@xyflow/react';
import { memo } from 'react';
import type { ReactNode } from 'react';
import classes from './Canvas.module.css';
import { FrameCard } from './FrameCard';
import { framePortPlace, HEAD } from './frames';
import { portPlace, portStyle, UNDO, UNDO_X, UNDONE } from './graph';
import type { StepNodeData, StepNodeType } from './graph';
import { StepCard } from './StepCard';

/** Where a port's dot stands, by its card's or its frame's own measure, and whether it leaves at the bottom. */
export function portSpot(port: string, data: Pick<StepNodeData, 'ports' | 'frame'>): { side: boolean; style: { left?: string | number; top?: string | number } } {
  if (!data.frame) return { side: portPlace(port, data.ports).side, style: portStyle(port, data.ports) };
  const { side, x, y } = framePortPlace(port, data.ports, data.frame);
  return { side, style: side ? { left: x } : { top: y, ...(x < data.frame.width ? { left: x, right: 'auto', transform: 'translate(-50%, -50%)' } : {}) } };
}

/** The way in, and the ends of the lines to steps that take others back; no link is drawn from those. */
export function PlainHandles({ data, connectable }: { data: StepNodeData; connectable: boolean }) {
  return (
    <>
      {data.entry ? null : (
        <Handle type="target" id="in" position={Position.Left} className={data.undoes ? classes.end : classes.port} isConnectable={connectable && !data.undoes} aria-hidden style={data.frame ? { top: HEAD / 2 } : undefined} />
      )}
      {data.undone ? <Handle type="source" id={UNDO} position={Position.Bottom} className={classes.end} style={{ left: UNDO_X }} isConnectable={false} aria-hidden /> : null}
      {data.undoes ? <Handle type="target" id={UNDONE} position={Position.Top} className={classes.end} style={{ left: UNDO_X }} isConnectable={false} aria-hidden /> : null}
    </>
  );
}

function Ways({ data, connectable }: { data: StepNodeData; connectable: boolean }): ReactNode {
  if (data.undoes) return null;
  return data.ports.map((port) => {
    const { side, style } = portSpot(port, data);
    return <Handle key={port} id={port} type="source" position={side ? Position.Bottom : Position.Right} className={classes.port} style={style} isConnectable={connectable} />;
  });
}

/** A card with its ways in and out. The editor passes `connectable` nodes, a run does not. */
export const StepNode = memo(function StepNode({ data, selected, isConnectable }: NodeProps<StepNodeType>) {
  return (
    <StepCard {...data} selected={selected}>
      <PlainHandles data={data} connectable={isConnectable} />
      <Ways data={data} connectable={isConnectable} />
    </StepCard>
  );
});

/** The frame of a step that contains others, with its ways. */
export const FrameNode = memo(function FrameNode({ data, selected, isConnectable }: NodeProps<StepNodeType>) {
  return (
    <FrameCard data={data} selected={selected}>
      <PlainHandles data={data} connectable={isConnectable} />
      <Ways data={data} connectable={isConnectable} />
    </FrameCard>
  );
});
