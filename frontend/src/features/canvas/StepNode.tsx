import { Handle, Position } from '@xyflow/react';
import type { NodeProps } from '@xyflow/react';
import { memo } from 'react';
import classes from './Canvas.module.css';
import { portPlace, portStyle } from './graph';
import type { StepNodeType } from './graph';
import { StepCard } from './StepCard';

/** A card with its ways in and out. The editor passes `connectable` nodes, a run does not. */
export const StepNode = memo(function StepNode({ data, selected, isConnectable }: NodeProps<StepNodeType>) {
  return (
    <StepCard {...data} selected={selected}>
      {data.entry ? null : (
        <Handle type="target" id="in" position={Position.Left} className={classes.port} isConnectable={isConnectable} />
      )}
      {data.ports.map((port) => {
        const { side } = portPlace(port, data.ports);
        return (
          <Handle
            key={port}
            id={port}
            type="source"
            position={side ? Position.Bottom : Position.Right}
            className={classes.port}
            style={portStyle(port, data.ports)}
            isConnectable={isConnectable}
          />
        );
      })}
    </StepCard>
  );
});
