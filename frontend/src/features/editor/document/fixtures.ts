import type { FlowDocument, StepCatalogue, StepType } from '~/api/types';
import { lookup } from '~/features/canvas/catalogue';

/** A small catalogue and flow for tests: one type of each shape that the editor must draw. */
const type = (kind: string, more: Partial<StepType>): StepType => ({
  kind,
  version: 1,
  title: kind,
  help: '',
  category: 'Flow',
  icon: 'flag',
  ports: ['done'],
  ports_from: null,
  behaviour: 'pure',
  outward: false,
  config_schema: { type: 'object', properties: {} },
  output_schema: null,
  default_config: {},
  ...more,
});

export const catalogue: StepCatalogue = {
  results: [
    type('decide', {
      title: 'Decide',
      ports: null,
      ports_from: 'branches[].port, otherwise',
      default_config: { branches: [{ port: 'yes', when: 'true' }], otherwise: 'no' },
      output_schema: { type: 'object', properties: { port: { type: 'string' } } },
    }),
    type('http.request', {
      title: 'Send HTTP request',
      ports: ['done', 'error'],
      behaviour: 'effect',
      outward: true,
      default_config: { method: 'POST', url: '' },
      output_schema: { type: 'object', properties: { status: { type: 'integer' }, body: {} } },
    }),
    type('map', {
      title: 'Map',
      config_schema: { type: 'object', properties: { fields: { type: 'object', 'x-widget': 'fields' } } },
      default_config: { fields: {} },
      output_from: 'fields',
    }),
    type('stop', { title: 'Stop', ports: [], behaviour: 'end' }),
    type('for_each', { title: 'For each', ports: ['done', 'body', 'error'], behaviour: 'scope', default_config: { items: 'trigger.body.items' } }),
    type('cancel', {
      title: 'Cancel',
      config_schema: { type: 'object', properties: { steps: { type: 'array', items: { type: 'string' }, 'x-widget': 'steps' } } },
      default_config: { steps: [] },
    }),
  ],
  triggers: [type('webhook', { title: 'Webhook', default_config: { path: '' } })],
};

export const types = lookup(catalogue);

/** webhook → decide (large: call → stop, small: note → stop) */
export const sampleFlow = (): FlowDocument => ({
  format: 'signalbox.flow/1',
  name: 'Orders',
  trigger: { type: 'webhook', config: { path: 'orders' } },
  steps: {
    size: {
      type: 'decide', version: 1, title: 'Large?',
      config: { branches: [{ port: 'large', when: 'trigger.body.amount > 10' }], otherwise: 'small' },
    },
    call: { type: 'http.request', version: 1, title: 'Tell the shop', config: { method: 'POST', url: 'https://shop.example.org' } },
    note: { type: 'map', version: 1, title: 'Note', config: { fields: { total: '= trigger.body.amount' } } },
    end: { type: 'stop', version: 1, title: 'End', config: { outcome: 'completed' } },
  },
  links: [
    { from: 'trigger', to: 'size' },
    { from: 'size', port: 'large', to: 'call' },
    { from: 'size', port: 'small', to: 'note' },
    { from: 'call', port: 'done', to: 'end' },
    { from: 'note', to: 'end' },
  ],
  layout: { trigger: [0, 0], size: [304, 0], call: [608, 0], note: [608, 112], end: [912, 0] },
  settings: { owner: 'ops@example.com' },
  comment: 'A field that this editor does not know',
});

/** webhook → each [ask → tell] → end, and a step beside it that takes `tell` back */
export const nestedFlow = (): FlowDocument => ({
  format: 'signalbox.flow/1',
  name: 'Lines',
  trigger: { type: 'webhook', config: { path: 'lines' } },
  steps: {
    each: { type: 'for_each', version: 1, title: 'Each line', config: { items: 'trigger.body.lines' } },
    ask: { type: 'map', version: 1, title: 'Ask', in: 'each', config: { fields: { line: '= item' } } },
    tell: { type: 'http.request', version: 1, title: 'Tell', in: 'each', undo: 'untell', config: { method: 'POST', url: '' } },
    untell: { type: 'http.request', version: 1, title: 'Untell', in: 'each', config: { method: 'DELETE', url: '' } },
    end: { type: 'stop', version: 1, title: 'End', config: {} },
  },
  links: [
    { from: 'trigger', to: 'each' },
    { from: 'each', port: 'body', to: 'ask' },
    { from: 'ask', to: 'tell' },
    { from: 'each', port: 'done', to: 'end' },
  ],
  layout: { trigger: [0, 0], each: [304, 0], ask: [416, 96], tell: [736, 96], untell: [736, 240], end: [1176, 0] },
});
