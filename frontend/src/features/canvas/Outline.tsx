import { UnstyledButton } from '@mantine/core';
import type { FlowDocument } from '~/api/types';
import { useT } from '~/app/messages';
import { StatusBadge } from '~/ui/StatusBadge';
import { portOfLink, TRIGGER } from './catalogue';
import type { Lookup } from './catalogue';
import { drawNodes } from './graph';
import type { StepNodeType } from './graph';
import classes from './Outline.module.css';
import type { CardRunState } from './StepCard';
import { StepIcon } from './StepIcon';

interface Props {
  document: FlowDocument;
  types: Lookup;
  selected?: string;
  onSelect: (id: string) => void;
  runs?: Record<string, CardRunState>;
}

/** The steps as a list in reading order: what a phone shows in place of the canvas. */
export function Outline({ document, types, selected, onSelect, runs }: Props) {
  const t = useT();
  const nodes = drawNodes(document, types, t);
  const titles = new Map(nodes.map((node) => [node.id, node.data.title]));
  return (
    <ol className={classes.outline} aria-label={t('canvas.outline')}>
      {nodes.map((node) => (
        <li key={node.id}>
          <UnstyledButton className={classes.row} data-selected={node.id === selected || undefined} aria-current={node.id === selected || undefined} onClick={() => onSelect(node.id)}>
            <StepIcon icon={node.data.icon} tint={node.data.tint} />
            <span className={classes.words}>
              <span className={classes.title}>{node.data.title}</span>
              {node.data.summary ? <span className={classes.line}>{node.data.summary}</span> : null}
              <Ways node={node} document={document} titles={titles} />
            </span>
            {runs?.[node.id] ? <StatusBadge status={runs[node.id]!.status} /> : null}
          </UnstyledButton>
        </li>
      ))}
    </ol>
  );
}

/** "approved: Create order" for each way out that leads somewhere. */
function Ways({ node, document, titles }: { node: StepNodeType; document: FlowDocument; titles: Map<string, string> }) {
  const t = useT();
  const ways = new Map<string, string[]>();
  for (const link of document.links.filter((one) => one.from === node.id)) {
    const port = portOfLink(link.port, node.data.ports);
    ways.set(port, [...(ways.get(port) ?? []), titles.get(link.to) ?? link.to]);
  }
  const named = node.id !== TRIGGER && node.data.ports.length > 1;
  return [...ways].map(([port, steps]) => (
    <span key={port} className={classes.way}>
      {named ? t('canvas.outline_to', { port, steps: steps.join(', ') }) : t('canvas.outline_then', { steps: steps.join(', ') })}
    </span>
  ));
}
