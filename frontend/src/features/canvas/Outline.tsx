import { UnstyledButton } from '@mantine/core';
import type { FlowDocument } from '~/api/types';
import { useT } from '~/app/messages';
import { StatusBadge } from '~/ui/StatusBadge';
import { portOfLink, readingOrder, TRIGGER } from './catalogue';
import type { Lookup } from './catalogue';
import { bodyWord, drawCard } from './graph';
import type { StepNodeData } from './graph';
import { BODY, containersOf, undoers } from './nesting';
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
  const nodes = [TRIGGER, ...readingOrder(document)].map((id) => ({ id, data: drawCard(document, id, types, t) }));
  const titles = new Map(nodes.map((node) => [node.id, node.data.title]));
  const undoing = undoers(document);
  // On a phone a deep nesting must leave room for words.
  const indent = (id: string) => 12 + Math.min(containersOf(document, id).length, DEEPEST) * 16;
  return (
    <ol className={classes.outline} aria-label={t('canvas.outline')}>
      {nodes.map((node) => (
        <li key={node.id}>
          <UnstyledButton className={classes.row} style={{ paddingInlineStart: indent(node.id) }} data-selected={node.id === selected || undefined} aria-current={node.id === selected || undefined} onClick={() => onSelect(node.id)}>
            <StepIcon icon={node.data.icon} tint={node.data.tint} />
            <span className={classes.words}>
              <span className={classes.title}>{node.data.title}</span>
              <Place id={node.id} document={document} titles={titles} />
              {runs?.[node.id]?.items ?? node.data.summary ? <span className={classes.line}>{runs?.[node.id]?.items ?? node.data.summary}</span> : null}
              {(undoing.get(node.id) ?? []).map((id) => <span key={id} className={classes.way}>{t('canvas.undoes', { title: titles.get(id) ?? id })}</span>)}
              <Ways id={node.id} data={node.data} document={document} titles={titles} />
            </span>
            {runs?.[node.id] ? <StatusBadge status={runs[node.id]!.status} /> : null}
          </UnstyledButton>
        </li>
      ))}
    </ol>
  );
}

const DEEPEST = 4;

/** For a reader who does not see how far a line is moved in. */
function Place({ id, document, titles }: { id: string; document: FlowDocument; titles: Map<string, string> }) {
  const t = useT();
  const [around] = containersOf(document, id);
  return around === undefined ? null : <span className="sr-only">{t('canvas.in_frame', { title: titles.get(around) ?? around })}</span>;
}

interface WaysProps {
  id: string;
  data: StepNodeData;
  document: FlowDocument;
  titles: Map<string, string>;
}

/** "approved: Create order" for each way out that leads somewhere. */
function Ways({ id, data, document, titles }: WaysProps) {
  const t = useT();
  const ways = new Map<string, string[]>();
  for (const link of document.links.filter((one) => one.from === id)) {
    const port = portOfLink(link.port, data.ports);
    ways.set(port, [...(ways.get(port) ?? []), titles.get(link.to) ?? link.to]);
  }
  const named = id !== TRIGGER && data.ports.length > 1;
  const word = (port: string) => (port === BODY ? bodyWord(document.steps[id]?.type ?? '', t) : port);
  return [...ways].map(([port, steps]) => (
    <span key={port} className={classes.way}>
      {named ? t('canvas.outline_to', { port: word(port), steps: steps.join(', ') }) : t('canvas.outline_then', { steps: steps.join(', ') })}
    </span>
  ));
}
