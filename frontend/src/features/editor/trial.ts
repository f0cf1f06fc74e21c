import { create } from 'zustand';
import type { TestKind } from '~/api/testing';
import { useView } from './view';

/** What is being tried, and with which sample; kept while the editor is open. */
interface Trial {
  flowId: string;
  /** The chosen sample; `null`: the newest. */
  sample: string | null;
  kind: TestKind;
  step: string;
  /** By step: the way out that is chosen for it. */
  ports: Record<string, string>;
  /** By step: what it gives instead of what was recorded or would be foreseen. */
  outputs: Record<string, unknown>;
  /** Steps that really send what they would send. */
  live: string[];
  /** The test that was started last. */
  run: string | null;
}

const NOTHING: Trial = { flowId: '', sample: null, kind: 'dry', step: '', ports: {}, outputs: {}, live: [], run: null };

export const useTrial = create<Trial>()(() => NOTHING);

/** What was chosen in one flow means nothing in another. */
export const trialOf = (flowId: string): void => {
  if (useTrial.getState().flowId !== flowId) useTrial.setState({ ...NOTHING, flowId });
};

export const tryOut = (kind: TestKind, step = ''): void => {
  useTrial.setState({ kind, step, ports: {}, outputs: {}, live: [], run: null });
  useView.setState({ drawer: 'try' });
};
