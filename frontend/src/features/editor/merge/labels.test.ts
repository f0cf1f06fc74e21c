import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { FlowDocument } from '~/api/types';
import type { Translate } from '~/app/messages';
import { lookup } from '~/features/canvas/catalogue';
import { catalogue, sampleFlow } from '../document/fixtures';
import { placeOf } from './labels';

const read = (name: string) => JSON.parse(readFileSync(`frontend/src/app/messages/de/${name}.json`, 'utf8')) as Record<string, string>;
const words = { ...read('canvas'), ...read('editor'), ...read('versions') };
const t = ((id: string) => words[id] ?? `no words: ${id}`) as Translate;
const flow: FlowDocument = sampleFlow();
const [step = ''] = Object.entries(flow.steps).find(([, one]) => one.type === 'decide') ?? [];
const title = flow.steps[step]?.title ?? '';
const place = (...path: string[]) => placeOf({ path, before: 1, after: 2 }, [flow], lookup(catalogue), t);

describe('where a change is', () => {
  it.each([
    [['steps', step, 'title'], `${title}: Name`],
    [['steps', step, 'time_limit'], `${title}: Zeitgrenze`],
    [['steps', step, 'retry', 'transient', 'max_attempts'], `${title}: ${words['editor.rules.retry']}: ${words['editor.rules.transient']}: ${words['editor.rules.tries']}`],
    [['steps', step, 'type'], `${title}: Schrittart`],
    [['settings', 'owner'], 'Der Ablauf: Verantwortlich'],
    [['settings', 'runbook'], 'Der Ablauf: Anleitung für Störungen'],
    [['settings', 'concurrency', 'max'], `Der Ablauf: ${words['editor.flow.concurrency']}: ${words['editor.rules.concurrency_max']}`],
    [['notes', 'note:1', 'text'], `${words['editor.note']}: Text`],
    [['name'], 'Name des Ablaufs'],
    [['links', 'order', `${step}:large`], words['versions.place.order']],
  ])('%j is named in the words of the forms', (path, said) => expect(place(...path)).toBe(said));

  it('counts rows from one, and names their fields as the form does', () => {
    const said = place('steps', step, 'config', 'branches', '0', 'when');
    expect(said.startsWith(`${title}: `)).toBe(true);
    expect(said).toContain(': 1: ');
    expect(said).not.toContain(': 0');
  });

  it('keeps a part that it does not know', () => expect(place('settings', 'tomorrow')).toBe('Der Ablauf: tomorrow'));
});
