import { describe, expect, it } from 'vitest';
import { ExactNumber } from './exact';
import { fitting } from './fitting';
import type { FlowDocument } from './types';

const whole = { format: 'signalbox.flow/1', name: 'A', trigger: { type: 'manual', config: {} }, steps: { a: { type: 'map', version: 1, title: 'A', config: {} } }, links: [{ from: 'trigger', to: 'a' }], layout: {} };
const fit = (change: object) => fitting({ ...whole, ...change });

describe('a document of any shape', () => {
  it('is the same where it fits', () => {
    expect(fitting(whole)).toBe(whole);
    const old = { ...whole, steps: { a: { type: 'map', config: {} } } } as unknown as FlowDocument;
    expect(fitting(old)).toBe(old);
  });

  it.each([null, 5, 'x', [], true, {}, [null], new ExactNumber('1.10')])('can be shown with %j in place of a part', (value) => {
    for (const part of ['name', 'trigger', 'steps', 'links', 'settings', 'layout', 'format']) {
      const shown = fit({ [part]: value });
      expect(typeof shown.name).toBe('string');
      expect(typeof shown.trigger.type).toBe('string');
      expect(Object.values(shown.steps).every((step) => typeof step.type === 'string')).toBe(true);
      expect(shown.links.every((link) => typeof link.to === 'string')).toBe(true);
    }
    const { a } = fit({ steps: { a: value } }).steps;
    expect(a).toMatchObject({ type: '', config: {} });
    for (const field of ['type', 'title', 'version', 'config']) {
      const step = fit({ steps: { a: { ...whole.steps.a, [field]: value } } }).steps['a']!;
      expect([typeof step.type, typeof step.title, typeof step.version, typeof step.config]).toEqual(['string', 'string', 'number', 'object']);
      expect(Array.isArray(step.config)).toBe(false);
    }
  });

  it('keeps what it does not know and what fits beside what does not', () => {
    const shown = fit({ more: { x: 1 }, links: [null, { from: 'a', to: 'b', port: 5, note: 'x' }, { from: 1 }], steps: { ...whole.steps, b: null } });
    expect(shown['more']).toEqual({ x: 1 });
    expect(shown.steps['a']).toBe(whole.steps.a);
    expect(shown.links).toEqual([{ from: 'a', to: 'b', note: 'x' }]);
  });
});
