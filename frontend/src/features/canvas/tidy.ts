import type { FlowDocument } from '~/api/types';
import { sizes } from '~/ui/tokens';
import { isSidePort, portOfLink, TRIGGER } from './catalogue';
import type { Lookup } from './catalogue';
import { cardHeight, portsIn } from './graph';

const snap = (value: number) => Math.round(value / 8) * 8;

/**
 * A tidy layout, left to right, ports in their order so that links cross as little as they can.
 * The layouter is large and is loaded only here.
 */
export async function tidy(document: FlowDocument, types: Lookup): Promise<Record<string, [number, number]>> {
  const { default: Elk } = await import('elkjs/lib/elk.bundled.js');
  const ids = [TRIGGER, ...Object.keys(document.steps)];
  const ports = (id: string) => portsIn(document, id, types);
  const answer = await new Elk().layout({
    id: 'flow',
    layoutOptions: {
      'elk.algorithm': 'layered',
      'elk.direction': 'RIGHT',
      'elk.layered.spacing.nodeNodeBetweenLayers': '96',
      'elk.spacing.nodeNode': '48',
      'elk.layered.considerModelOrder.strategy': 'NODES_AND_EDGES',
      'elk.layered.nodePlacement.strategy': 'NETWORK_SIMPLEX',
    },
    children: ids.map((id) => ({
      id,
      width: sizes.card.width,
      height: cardHeight(ports(id)),
      layoutOptions: { 'elk.portConstraints': 'FIXED_ORDER' },
      ports: [
        { id: `${id}:in`, layoutOptions: { 'elk.port.side': 'WEST' } },
        ...ports(id).map((port, index) => ({
          id: `${id}:out:${port}`,
          layoutOptions: { 'elk.port.side': isSidePort(port) ? 'SOUTH' : 'EAST', 'elk.port.index': String(index) },
        })),
      ],
    })),
    edges: document.links
      .filter((link) => ids.includes(link.from) && ids.includes(link.to))
      .map((link, index) => ({
        id: `link-${index}`,
        sources: [ports(link.from).length > 0 ? `${link.from}:out:${portOfLink(link.port, ports(link.from))}` : link.from],
        targets: [`${link.to}:in`],
      })),
  });
  return Object.fromEntries((answer.children ?? []).map((child) => [child.id, [snap(child.x ?? 0), snap(child.y ?? 0)]]));
}
