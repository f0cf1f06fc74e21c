import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { fireEvent, render, screen } from '@testing-library/react';
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { StepType } from '~/api/types';
import { Foundations } from '~/app/App';
import { catalogue, sampleFlow } from '../../document/fixtures';
import { useFindings } from '../../findings';
import { useEditor } from '../../store';
import { ConfigForm } from '../ConfigForm';
import { loadFeel } from '../feel/FeelInput';

const schema = {
  type: 'object',
  properties: {
    branches: {
      type: 'array', title: 'Branches',
      items: { type: 'object', properties: { port: { type: 'string', title: 'Way out' }, when: { type: 'string', title: 'Condition', minLength: 1, 'x-feel': 'expression', 'x-widget': 'condition' } }, required: ['port', 'when'] },
    },
  },
};

const when = () => (useEditor.getState().document.steps['size']?.config as { branches: { when: string }[] }).branches[0]?.when;

function show(condition: string) {
  const flow = sampleFlow();
  flow.steps['size'] = { ...flow.steps['size'], type: 'decide', version: 1, title: 'Size', config: { branches: [{ port: 'yes', when: condition }], otherwise: 'no' } };
  useEditor.getState().open('f', flow, false);
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  client.setQueryData(['step-types'], catalogue);
  client.setQueryData(['runs', 'list', 'sample', 'f'], null);
  const type = { ...(catalogue.results.find((one) => one.kind === 'decide') as StepType), config_schema: schema };
  return render(
    <QueryClientProvider client={client}>
      <Foundations><ConfigForm flowId="f" owner="size" type={type} /></Foundations>
    </QueryClientProvider>,
  );
}
const put = (label: string, value: string) => fireEvent.change(screen.getByLabelText(label, { selector: 'input' }), { target: { value } });
const operator = (label: string, option: string) => {
  fireEvent.click(screen.getByLabelText(label, { selector: 'input' }));
  fireEvent.click(screen.getByText(option));
};

beforeAll(async () => {
  await Promise.all([loadFeel(), import('./read')]);
});

beforeEach(() => {
  vi.stubGlobal('fetch', vi.fn(() => Promise.resolve(new Response('{"results": []}', { headers: { 'Content-Type': 'application/json' } }))));
  useFindings.setState({ findings: [] });
});

describe('a condition in a form', () => {
  it('is put together by choosing field, comparison and value, and says so as FEEL', async () => {
    show('trigger.body.tier = "gold"');
    await screen.findByLabelText('Condition 1: value', { selector: 'input' });
    put('Condition 1: value', 'silver');
    expect(when()).toBe('trigger.body.tier = "silver"');
    expect(screen.getByText('trigger.body.tier = "silver"').tagName).toBe('CODE');
    operator('Condition 1: comparison', 'begins with');
    expect(when()).toBe('starts with(trigger.body.tier, "silver")');
  });

  it('holds what is not complete without writing it, and joins it once it is', async () => {
    show('trigger.body.ok');
    fireEvent.click(await screen.findByText('Add condition'));
    expect(when()).toBe('trigger.body.ok');
    put('Condition 2: what is compared', 'trigger.body.name');
    expect(when()).toBe('trigger.body.ok and trigger.body.name = ""');
    fireEvent.click(screen.getByLabelText('Any holds'));
    expect(when()).toBe('trigger.body.ok or trigger.body.name = ""');
    fireEvent.click(screen.getByText('Add group'));
    expect(screen.getByLabelText('Conditions of Condition 3')).toBeTruthy();
    fireEvent.click(screen.getByLabelText('Remove Condition 1'));
    expect(when()).toBe('trigger.body.name = ""');
  });

  it('says what counts where the field is missing', async () => {
    show('trigger.body.amount > 3');
    fireEvent.click(await screen.findByText('If it is missing …'));
    put('Condition 1: value if it is missing', '0');
    expect(when()).toBe('get or else(trigger.body.amount, 0) > 3');
  });

  it('shows an expression that says more as FEEL, and says why', async () => {
    show('count(trigger.body.lines) > 2');
    expect(await screen.findByText(/says more than can be put together/)).toBeTruthy();
    expect(useEditor.getState().past).toHaveLength(0);
  });

  it('is written as FEEL by who wants to, and comes back as choices', async () => {
    show('trigger.body.ok');
    await screen.findByText('Add condition');
    fireEvent.click(screen.getByLabelText('FEEL'));
    expect(screen.queryByText('Add condition')).toBeNull();
    useEditor.getState().apply('typed', (doc) => { (doc.steps['size']?.config as { branches: { when: string }[] }).branches[0]!.when = 'trigger.body.a < 4 or trigger.body.b'; });
    fireEvent.click(screen.getByLabelText('Choose'));
    expect(await screen.findByLabelText('Condition 2: what is compared', { selector: 'input' })).toBeTruthy();
    expect(when()).toBe('trigger.body.a < 4 or trigger.body.b');
  });
});
