import type { FlowDocument, StepType } from '~/api/types';
import { tintOf, TRIGGER } from '~/features/canvas/catalogue';
import type { Lookup } from '~/features/canvas/catalogue';
import { portsIn } from '~/features/canvas/graph';
import { canContain, containersOf, insideOf } from '~/features/canvas/nesting';
import type { Category } from '~/ui/tokens';
import { before } from './links';

export type PathType = 'text' | 'number' | 'boolean' | 'list' | 'context' | 'date' | 'null' | 'any';

/** One thing an expression can read. */
export interface PathNode {
  /** The expression that reads it. */
  path: string;
  name: string;
  type: PathType;
  /** Its value in the sample, if there is one. */
  sample?: unknown;
  hasSample: boolean;
  /** What it means, where a contract, a form or a step type says so. */
  meaning?: string;
  children: PathNode[];
}

/** What one step, or the trigger, gives to later steps. */
export interface PathSource {
  id: string;
  title: string;
  icon: string;
  tint: Category;
  nodes: PathNode[];
}

/** Real data to show beside the paths: a trigger and what the steps gave, or would give. */
export interface Sample {
  id: string;
  trigger: unknown;
  steps: Record<string, { output?: unknown; error?: unknown } | undefined>;
}

type Schema = Record<string, unknown>;

const NAME = /^[\p{L}_$][\p{L}\p{N}_$]*$/u;
/** What a name alone cannot be in an expression. */
export const FEEL_WORDS = new Set(['and', 'or', 'not', 'if', 'then', 'else', 'for', 'in', 'return', 'some', 'every', 'satisfies', 'between', 'instance', 'of', 'true', 'false', 'null', 'function']);
const DEEPEST = 8;
const MOST_CHILDREN = 100;

/** `parent.name`, or the form that FEEL needs for a name with signs in it. */
export const member = (parent: string, name: string): string =>
  NAME.test(name) && !FEEL_WORDS.has(name) ? `${parent}.${name}` : `get value(${parent}, ${JSON.stringify(name)})`;

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export function typeOfValue(value: unknown): PathType {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'list';
  if (typeof value === 'string') return 'text';
  if (typeof value === 'number' || typeof value === 'boolean') return typeof value as PathType;
  // An ExactNumber is an object of a class of its own.
  return Object.getPrototypeOf(value) === Object.prototype ? 'context' : 'number';
}

function typeOfSchema(schema: Schema | undefined): PathType {
  const types: Record<string, PathType> = {
    string: 'text', integer: 'number', number: 'number', boolean: 'boolean', array: 'list', object: 'context',
  };
  const type = schema?.['type'];
  return typeof type === 'string' ? (types[type] ?? 'any') : 'any';
}

interface Known {
  schema?: Schema | undefined;
  sample?: unknown;
  hasSample: boolean;
}

/** A path with everything below it, out of what is declared and what the sample holds. */
function grow(path: string, name: string, known: Known, depth = 0): PathNode {
  const { schema, sample, hasSample } = known;
  const type = hasSample && sample !== null ? typeOfValue(sample) : typeOfSchema(schema);
  const node: PathNode = { path, name, type, sample, hasSample, children: [] };
  const meaning = schema?.['description'] ?? schema?.['title'];
  if (typeof meaning === 'string' && meaning !== '') node.meaning = meaning;
  if (depth >= DEEPEST) return node;
  const declared = isRecord(schema?.['properties']) ? schema['properties'] : {};
  const shown = hasSample && isRecord(sample) && typeOfValue(sample) === 'context' ? sample : {};
  const names = [...new Set([...Object.keys(declared), ...Object.keys(shown)])].slice(0, MOST_CHILDREN);
  node.children = names.map((child) =>
    grow(member(path, child), child, {
      schema: isRecord(declared[child]) ? declared[child] : undefined,
      sample: shown[child],
      hasSample: child in shown,
    }, depth + 1),
  );
  if (Array.isArray(sample) && sample.length > 0) {
    node.children = [grow(`${path}[1]`, '[1]', { sample: sample[0] as unknown, hasSample: true }, depth + 1)];
  }
  return node;
}

const object = (properties: Record<string, Schema>): Schema => ({ type: 'object', properties });

/** What is said of an event beside its data. */
const EVENT_FIELDS = ['type', 'subject', 'id', 'version', 'source', 'time', 'correlation', 'causation', 'depth', 'workspace'];

/** What the flow says it takes, where it says so. */
function contractInput(doc: FlowDocument): Schema | undefined {
  const contract = doc.settings?.['contract'];
  const input = isRecord(contract) ? contract['input'] : undefined;
  return isRecord(input) ? input : undefined;
}

/** What a trigger declares: a form's fields, or the parts that every signal of its kind has. */
function triggerSchema(doc: FlowDocument): Schema {
  const { type, config } = doc.trigger;
  const base: Record<string, Schema> = { id: { type: 'string' }, received_at: { type: 'string' }, type: { type: 'string' } };
  const http = { body: contractInput(doc) ?? {}, headers: { type: 'object' }, query: { type: 'object' } };
  if (type === 'webhook') return object({ ...http, ...base });
  if (type === 'schedule') return object({ body: object({ scheduled_for: { type: 'string' } }), ...base });
  if (type === 'event') return object({ body: contractInput(doc) ?? {}, event: object(Object.fromEntries(EVENT_FIELDS.map((name) => [name, {}]))), ...base });
  const form = isRecord(config) && isRecord(config['form']) ? config['form'] : {};
  if (type === 'form') return object({ body: contractInput(doc) ?? form, requester: object({ name: { type: 'string' }, email: { type: 'string' } }), ...base });
  return object({ body: contractInput(doc) ?? form, ...base });
}

/** What a step's output holds: what its type declares, else the names that a field of its own config lists. */
function outputSchema(type: StepType, config: unknown): Schema {
  if (type.output_schema) return withAnswers(type.output_schema, config);
  const from = type.output_from;
  const values = typeof from === 'string' && isRecord(config) ? config[from] : undefined;
  if (Array.isArray(values)) return columnsSchema(values, config as Record<string, unknown>);
  return object(isRecord(values) ? Object.fromEntries(Object.keys(values).map((name) => [name, {}])) : {});
}

/** What people fill in at a step is asked for by the form of its config. */
function withAnswers(output: Schema, config: unknown): Schema {
  const known = output['properties'];
  const form = isRecord(config) ? config['form'] : undefined;
  return isRecord(known) && 'answers' in known && isRecord(form) && isRecord(form['properties']) ? { ...output, properties: { ...known, answers: form } } : output;
}

/** The output of a step that runs another flow: its own parts, with what that flow gives in `output`. */
const withOutput = (own: Schema, given: Schema | undefined): Schema =>
  given === undefined || !isRecord(own['properties']) ? own : { ...own, properties: { ...own['properties'], output: given } };

/** The results of a decision table: a value for each column, lists where several rules are taken. */
function columnsSchema(columns: unknown[], config: Record<string, unknown>): Schema {
  const names = columns.map((one) => (isRecord(one) ? one['name'] : '')).filter((name): name is string => typeof name === 'string' && name !== '');
  const isList = config['hit'] === 'collect' && !config['aggregate'];
  if (isList && names.length > 1) return object({ results: { type: 'array' } });
  return object(Object.fromEntries(names.map((name) => [name, isList ? { type: 'array' } : {}])));
}

const ERROR = object({ class: { type: 'string' }, code: { type: 'string' }, message: { type: 'string' } });
const RUN = object({ id: { type: 'string' }, started_at: { type: 'string' } });

/**
 * What the expressions of step `id` can read: the trigger, every step that may have run before,
 * nearest first, and the run itself. `id` of the trigger gives the trigger's own parts. `gives`:
 * of steps that run another flow, what that flow says it gives.
 */
export function pathsFor(
  doc: FlowDocument,
  id: string,
  types: Lookup,
  sample: Sample | null,
  gives: Readonly<Record<string, Schema>> = {},
): PathSource[] {
  const trigger: PathSource = {
    id: TRIGGER,
    title: types.trigger(doc.trigger.type)?.title ?? doc.trigger.type,
    icon: types.trigger(doc.trigger.type)?.icon ?? '',
    tint: 'signal',
    nodes: grow('trigger', 'trigger', { schema: triggerSchema(doc), sample: sample?.trigger, hasSample: isRecord(sample?.trigger) }).children,
  };
  if (id === TRIGGER) return [trigger];
  const steps = readable(doc, id, types).filter((one) => one !== TRIGGER && one !== id && doc.steps[one]);
  const sources = steps.map((one) => stepSource(doc, one, types, sample, gives[one]));
  const run: PathSource = { id: 'run', title: '', icon: '', tint: 'other', nodes: grow('run', 'run', { schema: RUN, hasSample: false }).children };
  const known = [trigger, ...sources];
  return [...itemSources(doc, id, types, known), ...known, run];
}

const LIST = 'for_each';

/**
 * Steps that may have run before: what led here, without the containers around, which give nothing
 * before they are done. After a container that goes round by round, also what stood in it.
 */
function readable(doc: FlowDocument, id: string, types: Lookup): string[] {
  const around = new Set(containersOf(doc, id));
  const led = before(doc, id).filter((one) => !around.has(one));
  const inner = led.filter((one) => doc.steps[one]?.type !== LIST && canContain(doc, one, types)).flatMap((one) => insideOf(doc, [one]));
  // Inside a list each item is for itself: nothing of it is read from outside.
  const isHidden = (one: string) => containersOf(doc, one).some((container) => doc.steps[container]?.type === LIST && !around.has(container));
  return [...new Set([...led, ...inner])].filter((one) => !isHidden(one));
}

/** `item` and `index`, where the step is inside another; the first item of the sample shows what an item is. */
function itemSources(doc: FlowDocument, id: string, types: Lookup, known: PathSource[]): PathSource[] {
  const containers = containersOf(doc, id);
  const nearest = containers[0];
  if (nearest === undefined) return [];
  const list = containers.find((one) => doc.steps[one]?.type === LIST);
  const items = list === undefined ? undefined : doc.steps[list]?.config['items'];
  const path = typeof items === 'string' ? items.replace(/^=/, '').trim() : '';
  const sampled = path === '' ? undefined : flatPaths(known).find((node) => node.path === path)?.sample;
  const first: unknown = Array.isArray(sampled) ? sampled[0] : undefined;
  const step = doc.steps[list ?? nearest];
  const type = step && types.step(step.type, step.version);
  return [
    {
      id: 'item',
      title: step?.title || nearest,
      icon: type?.icon ?? '',
      tint: tintOf(type),
      nodes: [
        ...(list === undefined ? [] : [grow('item', 'item', { sample: first, hasSample: first !== undefined })]),
        grow('index', 'index', { schema: { type: 'integer' }, hasSample: false }),
      ],
    },
  ];
}

function stepSource(doc: FlowDocument, id: string, types: Lookup, sample: Sample | null, given?: Schema): PathSource {
  const step = doc.steps[id];
  const type = step && types.step(step.type, step.version);
  const ran = sample?.steps[id];
  const output = grow(`steps.${id}.output`, 'output', {
    schema: type ? withOutput(outputSchema(type, step?.config), given) : undefined,
    sample: ran?.output,
    hasSample: ran?.output !== undefined && ran.output !== null,
  });
  const fails = portsIn(doc, id, types).includes('error');
  const error = grow(`steps.${id}.error`, 'error', { schema: ERROR, sample: ran?.error, hasSample: isRecord(ran?.error) });
  return {
    id,
    title: step?.title || id,
    icon: type?.icon ?? '',
    tint: tintOf(type),
    nodes: fails ? [output, error] : [output],
  };
}

/** What an expression reads of an event that comes, and, unless that is all it reads, of the run. */
export function withEvent(sources: PathSource[], title: string, isAlone: boolean): PathSource[] {
  const schema = object({ data: {}, ...Object.fromEntries(EVENT_FIELDS.map((name) => [name, {}])) });
  const event: PathSource = { id: 'event', title, icon: 'broadcast', tint: 'signal', nodes: grow('event', 'event', { schema, hasSample: false }).children };
  return isAlone ? [event] : [event, ...sources];
}

/** Every path of the sources in one list: what completion offers. */
export function flatPaths(sources: readonly PathSource[]): PathNode[] {
  const walk = (node: PathNode): PathNode[] => [node, ...node.children.flatMap(walk)];
  return sources.flatMap((source) => source.nodes.flatMap(walk));
}

/** What a step, or the trigger, gives to those after it; `null` where there is no such step. */
export function outputsOf(doc: FlowDocument, id: string, types: Lookup): PathSource | null {
  if (id === TRIGGER) return pathsFor(doc, TRIGGER, types, null)[0] ?? null;
  return doc.steps[id] ? stepSource(doc, id, types, null) : null;
}
