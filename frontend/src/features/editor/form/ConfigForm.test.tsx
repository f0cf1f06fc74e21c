import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { fireEvent, render, screen } from '@testing-library/react';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { StepType } from '~/api/types';
import { Foundations } from '~/app/App';
import { catalogue, sampleFlow } from '../document/fixtures';
import { useFindings } from '../findings';
import { useEditor } from '../store';
import { ConfigForm } from './ConfigForm';

const decideSchema = {
  type: 'object',
  properties: {
    branches: {
      type: 'array', title: 'Branches',
      items: { type: 'object', properties: { port: { type: 'string', title: 'Way out' }, when: { type: 'string', title: 'Condition', 'x-feel': 'expression' } }, required: ['port', 'when'] },
    },
    otherwise: { type: 'string', title: 'Otherwise' },
  },
};
const callSchema = {
  $defs: { AtLeast: { type: 'object', properties: { n: { type: 'integer', minimum: 1, title: 'How many' } }, required: ['n'] } },
  type: 'object',
  properties: {
    url: { type: 'string', title: 'Address', 'x-feel': 'template' },
    timeout_s: { type: 'number', title: 'Seconds', default: 30 },
    headers: { type: 'object', title: 'Headers', additionalProperties: { type: 'string' }, 'x-widget': 'fields' },
    mode: { anyOf: [{ enum: ['all', 'any'], type: 'string' }, { $ref: '#/$defs/AtLeast' }], default: 'all', title: 'Mode', 'x-labels': { all: 'All of them', any: 'The first' } },
    signed: { type: 'boolean', title: 'Signed', default: false },
    key: { type: 'string', title: 'Key', 'x-when': { signed: true } },
  },
};

const typed = (kind: string, config_schema: Record<string, unknown>): StepType => {
  const type = catalogue.results.find((one) => one.kind === kind);
  if (!type) throw new Error(kind);
  type.config_schema = config_schema;
  return type;
};
const config = (id: string) => useEditor.getState().document.steps[id]?.config;
const ends = () => useEditor.getState().document.links.map((link) => `${link.from}.${link.port ?? ''}>${link.to}`);
const type = (label: string, value: string) => fireEvent.change(screen.getByLabelText(new RegExp(`^${label}`)), { target: { value } });

function show(owner: string, stepType: StepType) {
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  client.setQueryData(['step-types'], catalogue);
  client.setQueryData(['runs', 'list', 'sample', 'f'], null);
  return render(
    <QueryClientProvider client={client}>
      <Foundations><ConfigForm flowId="f" owner={owner} type={stepType} /></Foundations>
    </QueryClientProvider>,
  );
}

beforeEach(() => {
  vi.stubGlobal('fetch', vi.fn(() => Promise.resolve(new Response('{"results": []}', { headers: { 'Content-Type': 'application/json' } }))));
  useEditor.getState().open('f', sampleFlow(), false);
  useFindings.setState({ findings: [] });
});

describe('a step’s form', () => {
  it('changes the document and undoes what was typed as one', () => {
    show('call', typed('http.request', callSchema));
    type('Address', 'https://a');
    type('Address', 'https://a.example.org');
    expect(config('call')?.['url']).toBe('https://a.example.org');
    expect(useEditor.getState().past).toHaveLength(1);
    useEditor.getState().undo();
    expect(config('call')?.['url']).toBe('https://shop.example.org');
  });

  it('takes a leading = for an expression and == for a text that begins with =', () => {
    show('call', typed('http.request', callSchema));
    type('Address', '=');
    expect(config('call')?.['url']).toBe('= ');
    fireEvent.click(screen.getByLabelText('Use plain text'));
    type('Address', 'a=b');
    expect(config('call')?.['url']).toBe('a=b');
  });

  it('says choices in words and shows what belongs to the chosen one', () => {
    show('call', typed('http.request', callSchema));
    fireEvent.click(screen.getByLabelText('How many'));
    expect(config('call')?.['mode']).toEqual({ n: 1 });
    fireEvent.click(screen.getByLabelText('The first'));
    expect(config('call')?.['mode']).toBe('any');
  });

  it('hides what does not matter', () => {
    show('call', typed('http.request', callSchema));
    expect(screen.queryByLabelText('Key')).toBeNull();
    fireEvent.click(screen.getByLabelText('Signed'));
    expect(screen.getByLabelText('Key')).toBeDefined();
  });

  it('names fields of a map, never two alike', () => {
    show('call', typed('http.request', callSchema));
    fireEvent.click(screen.getByText('Add field'));
    fireEvent.click(screen.getByText('Add field'));
    const names = screen.getAllByLabelText('Name');
    fireEvent.change(names[1]!, { target: { value: 'field' } });
    expect(screen.getByText('Already there')).toBeDefined();
    expect(Object.keys(config('call')?.['headers'] as object)).toEqual(['field', 'field_2']);
    fireEvent.change(names[1]!, { target: { value: 'X-Id' } });
    expect(Object.keys(config('call')?.['headers'] as object)).toEqual(['field', 'X-Id']);
  });

  it('lets links follow a renamed way out, and takes no name twice', () => {
    show('size', typed('decide', decideSchema));
    type('Way out', 'big');
    expect(ends()).toContain('size.big>call');
    type('Way out', 'small');
    expect(screen.getByText('Another way out has this name.')).toBeDefined();
    expect(ends()).toContain('size.big>call');
    fireEvent.click(screen.getByText('Add to Branches'));
    expect((config('size')?.['branches'] as { port: string }[]).map((one) => one.port)).toEqual(['big', 'way 2']);
  });

  it('says what the check found beside the field', () => {
    useFindings.setState({ findings: [{ code: 'x', severity: 'error', step: 'call', path: '/steps/call/config/url', message: 'The address is wrong.', fix: 'Put it right.' }] });
    show('call', typed('http.request', callSchema));
    expect(screen.getByText('The address is wrong. Put it right.')).toBeDefined();
  });

  it('says what the check found in one of several entries beside that entry', () => {
    useFindings.setState({ findings: [{ code: 'bad_expression', severity: 'error', step: 'call', path: '/steps/call/config/headers/field', message: 'Expected a value.', fix: 'Write one.' }] });
    show('call', typed('http.request', callSchema));
    fireEvent.click(screen.getByText('Add field'));
    expect(screen.getAllByText('Expected a value. Write one.')).toHaveLength(1);
  });

  it('says a doubt beside the entry, which is not wrong by it', () => {
    const doubt = { code: 'looks_like_expression', severity: 'warning' as const, step: 'call', message: 'Taken as text.', fix: 'Write = run.id.' };
    useFindings.setState({ findings: [{ ...doubt, path: '/steps/call/config/headers/field' }, { ...doubt, path: '/steps/call/config/url', message: 'A doubt.' }] });
    show('call', typed('http.request', callSchema));
    fireEvent.click(screen.getByText('Add field'));
    expect(screen.getAllByText('Taken as text. Write = run.id.')).toHaveLength(1);
    expect(screen.getAllByText('A doubt. Write = run.id.')).toHaveLength(1);
    expect(screen.getByLabelText<HTMLInputElement>('Address').getAttribute('aria-invalid')).not.toBe('true');
  });

  it('changes nothing for who may only look', () => {
    useEditor.getState().open('f', sampleFlow(), true);
    show('call', typed('http.request', callSchema));
    expect(screen.getByLabelText<HTMLInputElement>('Address').disabled).toBe(true);
    expect(screen.queryByText('Add field')).toBeNull();
  });
});
