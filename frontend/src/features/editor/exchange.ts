import type { FlowDocument } from '~/api/types';
import { fileNameOf, writeFlow } from './document/exchange';

/** Saves a flow as a file of the reader's own. */
export function exportFlow(flow: FlowDocument): void {
  const address = URL.createObjectURL(new Blob([writeFlow(flow)], { type: 'application/json' }));
  const link = Object.assign(document.createElement('a'), { href: address, download: fileNameOf(flow.name) });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
