import { Handle, Position } from '@xyflow/react';
import type { NodeProps } from '@xyflow/react';
import { memo } from 'react';
import { isSidePort } from './catalogue';
import classes from './Canvas.module.css';
import type { StepNodeType } from './graph';
import { StepCard } from './StepCard';

/** Where a port sits: side ports share the bottom edge, the others the right one. */
export function portPosition(port: string, ports: string[]): { side: boolean; share: string } {
  const side = isSidePort(port);
  const peers = ports.filter((other) => isSidePort(other) === side);
  return { side, share: `${((peers.indexOf(port) + 1) / (peers.length + 1)) * 100}%` };
}

/** A card with its ways in and out. The editor passes `connectable` nodes, a run does not. */
export const StepNode = memo(function StepNode({ data, selected, isConnectable }: NodeProps<StepNodeType>) {
  return (
    <StepCard {...data} selected={selected}>
      {data.entry ? null : (
        <Handle type="target" id="in" position={Position.Left} className={classes.port} isConnectable={isConnectable} />
      )}
      {data.ports.map((port) => {
        const { side, share } = portPosition(port, data.ports);
        return (
          <Handle
            key={port}
            id={port}
            type="source"
            position={side ? Position.Bottom : Position.Right}
            className={classes.port}
            style={side ? { left: share } : { top: share }}
            isConnectable={isConnectable}
          />
        );
      })}
    </StepCard>
  );
});
