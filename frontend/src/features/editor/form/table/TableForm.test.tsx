import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { act, fireEvent, render, screen } from '@testing-library/react';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { StepType } from '~/api/types';
import { Foundations } from '~/app/App';
import { catalogue, sampleFlow } from '../../document/fixtures';
import { useFindings } from '../../findings';
import { useEditor } from '../../store';
import { ConfigForm } from '../ConfigForm';

const schema = {
  $defs: {
    Column: {
      type: 'object',
      properties: {
        name: { type: 'string', title: 'Name' },
        type: { enum: ['any', 'string'], type: 'string', default: 'any', 'x-labels': { any: 'Anything', string: 'Text' } },
      },
    },
  },
  type: 'object',
  'x-widget': 'decision-table',
  properties: {
    inputs: { type: 'array' },
    outputs: { type: 'array', items: { $ref: '#/$defs/Column' } },
    hit: { enum: ['unique', 'first', 'any', 'collect'], type: 'string', title: 'If several rules match', default: 'unique', 'x-labels': { unique: 'That is an error' } },
    aggregate: { anyOf: [{ enum: ['sum', 'count'], type: 'string' }, { type: 'null' }], title: 'Make of them', 'x-labels': { sum: 'Their sum', count: 'How many' } },
    rules: { type: 'array' },
    default: { anyOf: [{ type: 'array' }, { type: 'null' }] },
  },
};
const table = {
  inputs: [{ label: 'Amount', expression: 'trigger.body.amount' }],
  outputs: [{ name: 'size', type: 'string' }],
  hit: 'unique',
  rules: [{ when: ['< 10'], then: ['"small"'] }, { when: ['>= 10'], then: ['"large"'] }],
};

interface Rule { when: string[]; then: string[] }
const config = () => useEditor.getState().document.steps['size']?.config as { rules: Rule[]; inputs: unknown[]; outputs: { name: string }[]; default?: string[] | null; aggregate?: string | null };
const cell = (label: string) => screen.getByLabelText<HTMLInputElement>(label);

function show(readOnly = false) {
  const flow = sampleFlow();
  const step = flow.steps['size'];
  const type = { ...catalogue.results.find((one) => one.kind === 'decide'), kind: 'table', config_schema: schema, ports: ['done'], ports_from: null } as unknown as StepType;
  if (step) flow.steps['size'] = { ...step, type: 'table', config: structuredClone(table) };
  useEditor.getState().open('f', flow, readOnly);
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  client.setQueryData(['step-types'], catalogue);
  client.setQueryData(['runs', 'list', 'sample', 'f'], null);
  return render(
    <QueryClientProvider client={client}>
      <Foundations><ConfigForm flowId="f" owner="size" type={type} /></Foundations>
    </QueryClientProvider>,
  );
}

beforeEach(() => {
  vi.stubGlobal('fetch', vi.fn(() => Promise.resolve(new Response('{"results": []}', { headers: { 'Content-Type': 'application/json' } }))));
  useFindings.setState({ findings: [] });
});

describe('the form of a decision table', () => {
  it('shows rules as rows and changes a cell, undone as one', () => {
    show();
    expect(cell('Rule 1, Amount').value).toBe('< 10');
    fireEvent.change(cell('Rule 2, size'), { target: { value: '"x' } });
    fireEvent.change(cell('Rule 2, size'), { target: { value: '"xl"' } });
    expect(config().rules[1]).toEqual({ when: ['>= 10'], then: ['"xl"'] });
    useEditor.getState().undo();
    expect(config().rules[1]?.then).toEqual(['"large"']);
  });

  it('moves by keys, and Enter in the last row begins another', () => {
    show();
    cell('Rule 1, Amount').focus();
    fireEvent.keyDown(cell('Rule 1, Amount'), { key: 'ArrowDown' });
    expect(document.activeElement).toBe(cell('Rule 2, Amount'));
    fireEvent.keyDown(cell('Rule 2, Amount'), { key: 'Enter' });
    expect(config().rules).toHaveLength(3);
    expect(document.activeElement).toBe(cell('Rule 3, Amount'));
    expect(cell('Rule 3, Amount').value).toBe('-');
  });

  it('adds and removes rules and columns, every rule with a cell for each', () => {
    show();
    fireEvent.click(screen.getByText('Add condition'));
    fireEvent.click(screen.getByText('Add result'));
    expect(config().rules[0]).toEqual({ when: ['< 10', '-'], then: ['"small"', ''] });
    expect(config().outputs.map((one) => one.name)).toEqual(['size', 'result']);
    fireEvent.click(screen.getByLabelText('Remove condition 1'));
    fireEvent.click(screen.getByLabelText('Remove 2'));
    expect(config().rules).toEqual([{ when: ['-'], then: ['"small"', ''] }]);
    expect(screen.queryByLabelText('Remove condition 1')).toBeNull();
  });

  it('has a row for what no rule matches, where it is wanted', () => {
    show();
    fireEvent.click(screen.getByLabelText('Give a result also if no rule matches'));
    fireEvent.change(cell('If no rule matches, size'), { target: { value: '"none"' } });
    expect(config().default).toEqual(['"none"']);
    fireEvent.click(screen.getByLabelText('Give a result also if no rule matches'));
    expect(config().default).toBeNull();
  });

  it('marks what the check found, at the cell and in words', () => {
    useFindings.setState({
      findings: [
        { code: 'bad_expression', severity: 'error', step: 'size', path: '/steps/size/config/rules/1/when/0', message: 'Expected a value.', fix: 'Write one.' },
        { code: 'table_gap', severity: 'warning', step: 'size', path: '/steps/size/config/rules', message: 'No rule matches Amount = 10.', fix: 'Add one.' },
      ],
    });
    show();
    expect(cell('Rule 2, Amount').getAttribute('aria-invalid')).toBe('true');
    expect(cell('Rule 1, Amount').getAttribute('aria-invalid')).toBeNull();
    const said = screen.getByLabelText('What the check says about the table').textContent;
    expect(said).toContain('Rule 2: Expected a value. Write one.');
    // A gap stands among the rules, where one for it would.
    expect(screen.getByText('No rule matches Amount = 10. Add one.').closest('tbody')).not.toBeNull();
  });

  it('takes rows from a spreadsheet, as one change', () => {
    show();
    fireEvent.paste(cell('Rule 2, Amount'), { clipboardData: { getData: () => '>= 10\tlarge\n>= 100\thuge\n' } });
    expect(config().rules).toEqual([
      { when: ['< 10'], then: ['"small"'] },
      { when: ['>= 10'], then: ['"large"'] },
      { when: ['>= 100'], then: ['"huge"'] },
    ]);
    expect(useEditor.getState().past).toHaveLength(1);
    fireEvent.paste(cell('Rule 1, Amount'), { clipboardData: { getData: () => '"a", "b"' } });
    expect(config().rules[0]?.when).toEqual(['< 10']);
  });

  it('tries test rows beside the rules, and says which pass', () => {
    useFindings.setState({ status: 'current' });
    show();
    fireEvent.click(screen.getByText('Add test row'));
    fireEvent.change(cell('Test 1, Amount'), { target: { value: '3' } });
    fireEvent.keyDown(cell('Test 1, Amount'), { key: 'Enter' });
    expect((config() as unknown as { tests: unknown[] }).tests).toEqual([{ given: ['3'], expect: [''] }, { given: [''], expect: [''] }]);
    act(() => useFindings.setState({ findings: [{ code: 'table_test_failed', severity: 'warning', step: 'size', path: '/steps/size/config/tests/1', message: 'Test 2 cannot be tried.', fix: '' }] }));
    expect(screen.getAllByText('As expected')).toHaveLength(1);
    expect(screen.getByText('Test 2 cannot be tried.')).toBeTruthy();
  });

  it('changes nothing for who may only look', () => {
    show(true);
    expect(cell('Rule 1, Amount').readOnly).toBe(true);
    expect(screen.queryByText('Add rule')).toBeNull();
    fireEvent.keyDown(cell('Rule 2, Amount'), { key: 'Enter' });
    expect(config().rules).toHaveLength(2);
  });

  it('shows the same grid large', async () => {
    show();
    fireEvent.click(screen.getByLabelText('Show the table large'));
    fireEvent.change(await screen.findByLabelText('Rule 1, Amount'), { target: { value: '< 5' } });
    expect(config().rules[0]?.when).toEqual(['< 5']);
  });
});
