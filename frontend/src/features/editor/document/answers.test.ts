import { produce } from 'immer';
import { describe, expect, it } from 'vitest';
import type { FlowDocument } from '~/api/types';
import { isRead, readingAs, renameReads } from './answers';
import { sampleFlow } from './fixtures';

const asked = (): FlowDocument => {
  const doc = sampleFlow();
  const form = { type: 'object', properties: { price: { title: 'price, "price" and x.price' }, kind: {} } };
  doc.trigger = { type: 'form', config: { form, text: 'What it is for' } };
  doc.steps['note']!.config = { fields: { total: '= trigger.body.price * 2', all: ['= trigger.body.priced', '= trigger.body.price.net'] } };
  doc.steps['note']!['on_error'] = { then: 'go_on', output: { at: '= trigger . body . price' } };
  doc.steps['ask'] = { type: 'fill_in', version: 1, title: 'Ask trigger.body.price', config: { form, initial: { price: '= trigger.body.price', kind: 'price' } } };
  doc.settings = { output: { price: '= trigger.body.price' } };
  return doc;
};

describe('an answer of a form', () => {
  it.each([
    ['= trigger.body.price + 1', '= trigger.body.cost + 1'],
    ['= trigger.body.price.net', '= trigger.body.cost.net'],
    ['= trigger.body.prices', '= trigger.body.prices'],
    ['= x.trigger.body.price', '= x.trigger.body.price'],
    ['= "trigger.body.price" + trigger.body.price', '= "trigger.body.price" + trigger.body.cost'],
    ['= get value(trigger.body, "price")', '= trigger.body.cost'],
    ['trigger.body.price > 10', 'trigger.body.cost > 10'],
    ['= steps.ask.output.answers.price', '= steps.ask.output.answers.price'],
  ])('%s reads it as %s once it is called otherwise', (before, after) => expect(readingAs(before, 'trigger.body', 'price', 'cost')).toBe(after));

  it('is read by its new name all over the flow, and nothing else changes', () => {
    const before = asked();
    const after = produce(before, renameReads('trigger', 'price', 'cost'));
    expect(after.steps['note']!.config).toEqual({ fields: { total: '= trigger.body.cost * 2', all: ['= trigger.body.priced', '= trigger.body.cost.net'] } });
    expect(after.steps['note']!['on_error']).toEqual({ then: 'go_on', output: { at: '= trigger.body.cost' } });
    expect(after.steps['ask']!.config).toEqual({ form: before.steps['ask']!.config['form'], initial: { price: '= trigger.body.cost', kind: 'price' } });
    expect([after.trigger, after.steps['ask']!.title]).toEqual([before.trigger, before.steps['ask']!.title]);
    expect(after.settings).toEqual({ output: { price: '= trigger.body.cost' } });
    expect(after.steps['size']).toBe(before.steps['size']);
  });

  it('given at a step takes along what is filled in beforehand', () => {
    const after = produce(asked(), renameReads('ask', 'price', 'cost'));
    expect(after.steps['ask']!.config['initial']).toEqual({ cost: '= trigger.body.price', kind: 'price' });
    expect(after.steps['note']).toEqual(asked().steps['note']);
  });

  it('is read where anything but its own form says its name', () => {
    const doc = asked();
    expect(isRead(doc, 'trigger', 'price')).toBe(true);
    expect(isRead(doc, 'trigger', 'priced')).toBe(true);
    expect(isRead(doc, 'ask', 'kind')).toBe(true);
    expect(isRead(doc, 'trigger', 'kind')).toBe(false);
    expect(isRead(doc, 'trigger', 'net_price')).toBe(false);
  });
});
