import { fireEvent, render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { useState } from 'react';
import { describe, expect, it, vi } from 'vitest';
import { Foundations } from '~/app/App';
import { SchemaForm } from './SchemaForm';
import type { Schema } from './answers';

const form: Schema = {
  type: 'object',
  properties: {
    name: { type: 'string', title: 'Name' },
    note: { type: 'string', title: 'Note', 'x-widget': 'text' },
    amount: { type: 'number', title: 'Amount' },
    urgent: { type: 'boolean', title: 'Urgent' },
    lines: { type: 'array', title: 'Lines', items: { type: 'string' } },
  },
  required: ['name', 'urgent'],
};

function Asked({ send }: { send: (value: unknown) => void }) {
  const [value, setValue] = useState<unknown>({});
  return <Foundations><SchemaForm schema={form} value={value} onChange={setValue} onSubmit={send}><button type="submit">Go</button></SchemaForm></Foundations>;
}
const write = (label: string, value: string) => fireEvent.change(screen.getByLabelText(new RegExp(`^${label}`)), { target: { value } });

describe('the form of a start by hand', () => {
  it('leaves out what is left empty, and what was emptied again', () => {
    const send = vi.fn();
    render(<Asked send={send} />);
    write('Name', 'Ada');
    write('Note', 'a');
    write('Note', '');
    write('Amount', '12');
    write('Amount', '');
    fireEvent.click(screen.getByText('Go'));
    expect(send).toHaveBeenCalledWith({ name: 'Ada', urgent: false });
  });

  it('takes several texts, each ended with Enter', async () => {
    const user = userEvent.setup();
    const send = vi.fn();
    render(<Asked send={send} />);
    write('Name', 'Ada');
    await user.type(screen.getByRole('combobox', { name: /^Lines/ }), 'one{Enter}two{Enter}');
    fireEvent.click(screen.getByText('Go'));
    expect(send).toHaveBeenCalledWith({ name: 'Ada', urgent: false, lines: ['one', 'two'] });
  });

  it('refuses a required answer that was emptied again', () => {
    const send = vi.fn();
    render(<Asked send={send} />);
    write('Name', 'Ada');
    write('Name', '');
    fireEvent.click(screen.getByText('Go'));
    expect(send).not.toHaveBeenCalled();
    expect(screen.getAllByText('An answer is needed here.').length).toBeGreaterThan(0);
  });

  it('gives a long text room', () => {
    render(<Asked send={vi.fn()} />);
    expect(screen.getByLabelText(/^Note/).tagName).toBe('TEXTAREA');
  });
});
