import { Handle, Position } from '@xyflow/react';
import type { NodeProps } from '@xyflow/react';
import { memo } from 'react';
import type { MouseEvent } from 'react';
import { useT } from '~/app/messages';
import shared from '~/features/canvas/Canvas.module.css';
import { portOfLink } from '~/features/canvas/catalogue';
import { FrameCard } from '~/features/canvas/FrameCard';
import { BODY_AT } from '~/features/canvas/frames';
import type { StepNodeData, StepNodeType } from '~/features/canvas/graph';
import { BODY } from '~/features/canvas/nesting';
import { FarCard, StepCard } from '~/features/canvas/StepCard';
import { PlainHandles, portSpot } from '~/features/canvas/StepNode';
import { useDrawnLevel } from '~/features/canvas/zoom';
import { IconPlus } from '~/ui/icons';
import { linksFrom } from '../document/links';
import { useEditor } from '../store';
import { focusName, useView } from '../view';
import classes from './EditorCanvas.module.css';

interface PortProps {
  id: string;
  port: string;
  data: StepNodeData;
  connectable: boolean;
}

/** The steps that a port leads to, by title, in one text: a selector may not make a new list each time. */
function useTargets(id: string, port: string, ports: string[]): string {
  return useEditor(({ document }) =>
    linksFrom(document.links, id)
      .filter((link) => portOfLink(link.port, ports) === port)
      .map((link) => document.steps[link.to]?.title || link.to)
      .join(', '),
  );
}

/** A way out: drag from it to connect; where it leads nowhere yet, a `+` adds the next step. */
function Port({ id, port, data, connectable }: PortProps) {
  const t = useT();
  const { title, ports, frame } = data;
  const targets = useTargets(id, port, ports);
  const { side, style: place } = portSpot(port, data);
  const isBody = frame !== undefined && port === BODY;
  const word = isBody ? (data.bodyWord ?? port) : port;
  const named = ports.length > 1;
  const isEmpty = frame?.count === 0;
  const values = { port: word, title };
  const name = targets
    ? t(named ? 'editor.port.connected' : 'editor.port.only_connected', { ...values, targets })
    : t(named ? 'editor.port.open' : 'editor.port.only_open', values);
  const ask = (event: MouseEvent) => {
    event.stopPropagation();
    useView.setState({ asking: { kind: 'add', after: { from: id, port }, x: event.clientX, y: event.clientY } });
  };
  return (
    <>
      <Handle
        id={port}
        type="source"
        position={side ? Position.Bottom : Position.Right}
        className={shared.port}
        style={place}
        isConnectable={connectable}
        tabIndex={-1}
        role="button"
        aria-label={name}
        data-focus={focusName({ step: id, port })}
      />
      {!targets && named && (!isBody || isEmpty) ? (
        <span className={classes.portName} data-side={side || undefined} style={isBody ? besideBody(place) : place} aria-hidden>{word}</span>
      ) : null}
      {!targets && connectable && !(isBody && isEmpty) ? (
        <button
          type="button"
          tabIndex={-1}
          className={`${classes.plus} nodrag nopan`}
          data-side={side || undefined}
          style={isBody ? besideBody(place) : place}
          data-named={(named && !isBody) || undefined}
          aria-label={named ? t('editor.port.add', values) : t('editor.port.only_add', values)}
          onClick={ask}
        >
          <IconPlus size={14} aria-hidden />
        </button>
      ) : null}
    </>
  );
}

/** The way inside has its name, or its `+`, right of its dot; there is nothing else in the frame's padding. */
const besideBody = ({ top }: { top?: string | number }) => ({ top, left: BODY_AT.x + 12, transform: 'translateY(-50%)' });

const Ports = ({ id, data, connectable }: Omit<PortProps, 'port'>) =>
  data.undoes ? null : data.ports.map((port) => <Port key={port} id={id} port={port} data={data} connectable={connectable} />);

/** A step that can be dragged, connected and walked to. */
export const EditorNode = memo(function EditorNode({ id, data, selected, isConnectable }: NodeProps<StepNodeType>) {
  // Where links begin is in the node itself, so that from afar no port has to be in the page.
  const level = useDrawnLevel();
  if (level !== 'near') return <FarCard {...data} selected={selected} isTiny={level === 'tiny'} />;
  return (
    <StepCard {...data} selected={selected}>
      <PlainHandles data={data} connectable={isConnectable} />
      <Ports id={id} data={data} connectable={isConnectable} />
    </StepCard>
  );
});

/** A step that contains others: steps are dragged into its frame and out of it. */
export const EditorFrame = memo(function EditorFrame({ id, data, selected, isConnectable }: NodeProps<StepNodeType>) {
  const t = useT();
  const ask = (event: MouseEvent) => {
    event.stopPropagation();
    useView.setState({ asking: { kind: 'add', after: { from: id, port: BODY }, x: event.clientX, y: event.clientY } });
  };
  const empty = isConnectable ? (
    <button type="button" tabIndex={-1} className={`${classes.inside} nodrag nopan`} onClick={ask}>
      <IconPlus size={14} aria-hidden /> {t('editor.frame.empty')}
    </button>
  ) : undefined;
  return (
    <FrameCard data={data} selected={selected} target={data.target} empty={empty}>
      <PlainHandles data={data} connectable={isConnectable} />
      <Ports id={id} data={data} connectable={isConnectable} />
    </FrameCard>
  );
});

/** A remark on the canvas. What it says is text, whatever it looks like. */
export const EditorNote = memo(function EditorNote({ data, selected }: NodeProps<StepNodeType>) {
  const t = useT();
  return <div className={classes.note} data-selected={selected || undefined}>{data.title || <span className={classes.noteEmpty}>{t('editor.note.empty')}</span>}</div>;
});
