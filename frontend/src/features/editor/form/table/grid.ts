import { isRecord } from '../schema';

/** The config of a decision table, and what can be done to it; every function gives a new config. */

export interface Column {
  label: string;
  /** What an input reads, or a result's name. */
  value: string;
  type: string;
}

export interface Row {
  when: string[];
  then: string[];
  note: string;
}

export interface Grid {
  inputs: Column[];
  outputs: Column[];
  rows: Row[];
  /** The results where no rule matches; null where that is an error. */
  fallback: string[] | null;
  tests: Test[];
}

/** Values for the inputs, and what shall come out. */
export interface Test {
  given: string[];
  expect: string[];
}

type Config = Record<string, unknown>;

const list = (value: unknown): unknown[] => (Array.isArray(value) ? (value as unknown[]) : []);
const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const record = (value: unknown): Config => (isRecord(value) ? value : {});
/** As many cells as there are columns, whatever the document holds. */
const cells = (value: unknown, count: number): string[] => Array.from({ length: count }, (_, at) => text(list(value)[at]));

/** A config as the grid shows it; parts of a wrong shape are shown empty. */
export function readGrid(config: Config): Grid {
  const inputs = list(config['inputs']).map(record);
  const outputs = list(config['outputs']).map(record);
  return {
    inputs: inputs.map((one) => ({ label: text(one['label']), value: text(one['expression']), type: '' })),
    outputs: outputs.map((one) => ({ label: text(one['label']), value: text(one['name']), type: text(one['type']) || 'any' })),
    rows: list(config['rules']).map(record).map((one) => ({
      when: cells(one['when'], inputs.length),
      then: cells(one['then'], outputs.length),
      note: text(one['note']),
    })),
    fallback: Array.isArray(config['default']) ? cells(config['default'], outputs.length) : null,
    tests: list(config['tests']).map(record).map((one) => ({ given: cells(one['given'], inputs.length), expect: cells(one['expect'], outputs.length) })),
  };
}

export const ANYTHING = '-';

const eachRule = (config: Config, change: (rule: Config) => Config): Config => ({
  ...config,
  rules: list(config['rules']).map((rule) => change(record(rule))),
});

/** The test rows with another number of cells; a config without any stays without. */
const eachTest = (config: Config, change: (test: Config) => Config): Config =>
  Array.isArray(config['tests']) ? { tests: (config['tests'] as unknown[]).map((one) => change(record(one))) } : {};

export const addTest = (config: Config): Config => {
  const { inputs, outputs } = readGrid(config);
  return { ...config, tests: [...list(config['tests']), { given: inputs.map(() => ''), expect: outputs.map(() => '') }] };
};

export const removeTest = (config: Config, at: number): Config => ({ ...config, tests: without(config['tests'], at) });

const without = (items: unknown, at: number): unknown[] => list(items).filter((_one, index) => index !== at);

/** A rule that matches anything, put in at a place. */
export function addRule(config: Config, at: number): Config {
  const { inputs, outputs } = readGrid(config);
  const rules = [...list(config['rules'])];
  rules.splice(at, 0, { when: inputs.map(() => ANYTHING), then: outputs.map(() => '') });
  return { ...config, rules };
}

export const removeRule = (config: Config, at: number): Config => ({ ...config, rules: without(config['rules'], at) });

export function moveRule(config: Config, from: number, to: number): Config {
  const rules = [...list(config['rules'])];
  if (from < 0 || to < 0 || from >= rules.length || to >= rules.length) return config;
  const [rule] = rules.splice(from, 1);
  rules.splice(to, 0, rule);
  return { ...config, rules };
}

/** A column of conditions; every rule says nothing about it yet. */
export const addInput = (config: Config): Config => {
  const next = eachRule(config, (rule) => ({ ...rule, when: [...list(rule['when']), ANYTHING] }));
  const tests = eachTest(config, (test) => ({ ...test, given: [...list(test['given']), ''] }));
  return { ...next, ...tests, inputs: [...list(config['inputs']), { label: '', expression: '' }] };
};

export const removeInput = (config: Config, at: number): Config => ({
  ...eachRule(config, (rule) => ({ ...rule, when: without(rule['when'], at) })),
  ...eachTest(config, (test) => ({ ...test, given: without(test['given'], at) })),
  inputs: without(config['inputs'], at),
});

/** A column of results under a name that is free. */
export function addOutput(config: Config, base: string): Config {
  const taken = readGrid(config).outputs.map((one) => one.value);
  let name = base;
  for (let count = 2; taken.includes(name); count += 1) name = `${base}_${count}`;
  const next = eachRule(config, (rule) => ({ ...rule, then: [...list(rule['then']), ''] }));
  const fallback = Array.isArray(config['default']) ? { default: [...list(config['default']), ''] } : {};
  const tests = eachTest(config, (test) => ({ ...test, expect: [...list(test['expect']), ''] }));
  return { ...next, ...fallback, ...tests, outputs: [...list(config['outputs']), { name }] };
}

export function removeOutput(config: Config, at: number): Config {
  const next = eachRule(config, (rule) => ({ ...rule, then: without(rule['then'], at) }));
  const fallback = Array.isArray(config['default']) ? { default: without(config['default'], at) } : {};
  const tests = eachTest(config, (test) => ({ ...test, expect: without(test['expect'], at) }));
  return { ...next, ...fallback, ...tests, outputs: without(config['outputs'], at) };
}

/** A row for what no rule matches, or none. */
export function setFallback(config: Config, wanted: boolean): Config {
  return { ...config, default: wanted ? readGrid(config).outputs.map(() => '') : null };
}

/** A place in the grid; the row behind the last rule is the default. */
export interface Cell {
  row: number;
  column: number;
}

/** The field of the config that a cell shows. */
export function pathOfCell({ row, column }: Cell, grid: Grid): (string | number)[] {
  const result = column - grid.inputs.length;
  if (row >= grid.rows.length) return ['default', result];
  return result < 0 ? ['rules', row, 'when', column] : ['rules', row, 'then', result];
}

/** Where a key leads from a cell, or null where it stays. `edge` says whether the caret is at an end of the text. */
export function neighbour(key: string, at: Cell, grid: Grid, edge: { start: boolean; end: boolean }): Cell | null {
  const last = grid.rows.length - 1 + (grid.fallback ? 1 : 0);
  const columns = grid.inputs.length + grid.outputs.length;
  const down = key === 'ArrowDown' || key === 'Enter';
  let next: Cell | null = null;
  if (down) next = { ...at, row: at.row + 1 };
  else if (key === 'ArrowUp') next = { ...at, row: at.row - 1 };
  else if (key === 'ArrowLeft' && edge.start) next = { ...at, column: at.column - 1 };
  else if (key === 'ArrowRight' && edge.end) next = { ...at, column: at.column + 1 };
  if (!next || next.row < 0 || next.row > last || next.column < 0 || next.column >= columns) return null;
  // The default has results only.
  return next.row >= grid.rows.length && next.column < grid.inputs.length ? null : next;
}
