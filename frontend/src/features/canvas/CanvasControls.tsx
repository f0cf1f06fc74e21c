import { ActionIcon, Tooltip } from '@mantine/core';
import { useReactFlow } from '@xyflow/react';
import type { ReactNode } from 'react';
import { useT } from '~/app/messages';
import type { MessageId } from '~/app/messages';
import { IconArrowsMaximize, IconZoomIn, IconZoomOut } from '~/ui/icons';
import type { Icon } from '~/ui/icons';
import { motion } from '~/ui/tokens';
import classes from './Canvas.module.css';

/** Zoom and fit, in the lower left corner. `children`: more buttons of the same kind. */
export function CanvasControls({ children }: { children?: ReactNode }) {
  const t = useT();
  const flow = useReactFlow();
  const options = { duration: motion.in };
  const buttons: { label: MessageId; icon: Icon; act: () => void }[] = [
    { label: 'canvas.zoom_in', icon: IconZoomIn, act: () => void flow.zoomIn(options) },
    { label: 'canvas.zoom_out', icon: IconZoomOut, act: () => void flow.zoomOut(options) },
    { label: 'canvas.fit', icon: IconArrowsMaximize, act: () => void flow.fitView({ ...options, padding: 0.06, maxZoom: 1 }) },
  ];
  return (
    <div className={classes.controls}>
      {buttons.map(({ label, icon: Glyph, act }) => (
        <Tooltip key={label} label={t(label)} position="top">
          <ActionIcon aria-label={t(label)} onClick={act} radius={0}>
            <Glyph size={16} aria-hidden />
          </ActionIcon>
        </Tooltip>
      ))}
      {children}
    </div>
  );
}
