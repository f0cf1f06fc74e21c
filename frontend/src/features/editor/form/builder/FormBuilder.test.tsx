import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { fireEvent, render, screen, within } from '@testing-library/react';
import { useState } from 'react';
import { describe, expect, it } from 'vitest';
import { Foundations } from '~/app/App';
import '~/ui/schemaForm/SchemaForm';
import type { FormValues } from '../FormContext';
import { FormContext } from '../FormContext';
import { FormBuilder } from '../fields/FormBuilder';
import { fieldOf } from '../schema';
import type { Schema } from '../schema';

const ROOT: Schema = { type: 'object', properties: { form: { type: 'object', 'x-widget': 'form', title: 'Form' }, open_to: {} } };
let seen: Schema = {};

function Builder({ first, published }: { first: Schema; published?: Schema }) {
  const [client] = useState(() => {
    const made = new QueryClient({ defaultOptions: { queries: { retry: false, staleTime: Infinity } } });
    made.setQueryData(['flows', 'one', 'f'], { id: 'f', active_version: published ? 3 : null });
    if (published) made.setQueryData(['versions', 'f', 3], { document: { trigger: { type: 'form', config: { form: published } }, steps: {} } });
    return made;
  });
  const [form, setForm] = useState(first);
  const values = {
    flowId: 'f', owner: 'trigger', root: ROOT, readOnly: false, sources: () => [], paths: () => [], sample: null, errors: new Map(), warnings: new Map(), portPaths: [],
    current: () => ({ form }), set: (_path: unknown, value: unknown) => { seen = value as Schema; setForm(seen); }, settle: () => undefined,
  } as unknown as FormValues;
  return (
    <QueryClientProvider client={client}><Foundations>
      <FormContext.Provider value={values}>
        <FormBuilder field={fieldOf((ROOT['properties'] as Record<string, unknown>)['form'], ROOT, 'form')} path={['form']} value={form} required={false} />
      </FormContext.Provider>
    </Foundations></QueryClientProvider>
  );
}
const FORM = { type: 'object', properties: { what: { type: 'string', title: 'What' }, price: { type: 'number', title: 'Price' } }, required: ['what'] };
const card = (title: string) => within(screen.getByRole('group', { name: title }));

describe('the builder of a form', () => {
  it('adds questions, each with a name of its own', () => {
    render(<Builder first={{ type: 'object', properties: {} }} />);
    fireEvent.click(screen.getByText('Add question'));
    fireEvent.click(screen.getByText('Add question'));
    expect(Object.keys(seen['properties'] as object)).toHaveLength(2);
  });

  it('moves a question with a button, which is what is published', () => {
    render(<Builder first={FORM} />);
    fireEvent.click(card('Price').getByRole('button', { name: 'Move Price up' }));
    expect(seen['x-order']).toEqual(['price', 'what']);
    expect(card('Price').getByRole('button', { name: 'Move Price up' })).toHaveProperty('disabled', true);
  });

  it('moves a question by dragging it', () => {
    const { container } = render(<Builder first={FORM} />);
    const data = { effectAllowed: '', dropEffect: '' };
    fireEvent.dragStart(container.querySelectorAll('[draggable]')[1]!, { dataTransfer: data });
    fireEvent.drop(screen.getByRole('group', { name: 'What' }), { dataTransfer: data });
    expect(seen['x-order']).toEqual(['price', 'what']);
  });

  it('keeps help, limits and what is required', () => {
    render(<Builder first={FORM} />);
    fireEvent.change(card('What').getByLabelText('Help below it'), { target: { value: 'As the shop calls it' } });
    fireEvent.change(card('What').getByLabelText('Characters at most'), { target: { value: '60' } });
    fireEvent.click(card('What').getByRole('checkbox', { name: /answer/i }));
    expect((seen['properties'] as Record<string, unknown>)['what']).toEqual({ type: 'string', title: 'What', description: 'As the shop calls it', maxLength: 60 });
    expect(seen['required']).toEqual([]);
  });

  it('takes another name only where it is one', () => {
    render(<Builder first={FORM} />);
    const name = card('Price').getByLabelText('Name in expressions');
    fireEvent.change(name, { target: { value: 'Not one' } });
    fireEvent.blur(name);
    expect(seen['properties']).toHaveProperty('price');
    fireEvent.change(name, { target: { value: 'cost' } });
    fireEvent.blur(name);
    expect(seen['properties']).toHaveProperty('cost');
    expect(seen['properties']).not.toHaveProperty('price');
  });

  it('calls an answer as its question until that is published or somebody names it', () => {
    const types = (on: string, title: string) => fireEvent.change(card(on).getByLabelText('Question'), { target: { value: title } });
    const { unmount } = render(<Builder first={{ type: 'object', properties: {} }} />);
    fireEvent.click(screen.getByText('Add question'));
    types('Question', 'Größe in m²');
    expect(Object.keys(seen['properties'] as object)).toEqual(['grosse_in_m2']);
    const name = screen.getByLabelText('Name in expressions');
    fireEvent.change(name, { target: { value: 'size' } });
    fireEvent.blur(name);
    types('Größe in m²', 'Area');
    expect(Object.keys(seen['properties'] as object)).toEqual(['size']);
    unmount();
    render(<Builder first={FORM} published={FORM} />);
    types('Price', 'Cost');
    expect(seen['properties']).toMatchObject({ price: { title: 'Cost' } });
  });

  it('asks under a condition on an earlier answer', () => {
    render(<Builder first={{ ...FORM, allOf: [{ if: { properties: { what: { const: 'x' } }, required: ['what'] }, then: {}, else: { properties: { price: false } } }] }} />);
    const box = card('Price').getByRole('checkbox', { name: 'Ask only under a condition' });
    expect(box).toHaveProperty('checked', true);
    fireEvent.click(box);
    expect(seen).not.toHaveProperty('allOf');
    expect(card('What').queryByRole('checkbox', { name: 'Ask only under a condition' })).toBeNull();
  });

  it('shows how it looks', async () => {
    render(<Builder first={FORM} />);
    const look = within(await screen.findByRole('region', { name: 'How it looks' }));
    expect(await look.findByLabelText(/^What/, {}, { timeout: 15_000 })).toBeTruthy();
  });
});
