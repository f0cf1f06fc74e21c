import { describe, expect, it } from 'vitest';
import { addInput, addOutput, addRule, moveRule, neighbour, pathOfCell, readGrid, removeInput, removeOutput, removeRule, setFallback } from './grid';

const table = {
  inputs: [{ label: 'Amount', expression: 'trigger.body.amount' }],
  outputs: [{ name: 'size', type: 'string' }],
  hit: 'unique',
  rules: [
    { when: ['< 10'], then: ['"small"'] },
    { when: ['>= 10'], then: ['"large"'], note: 'the rest', odd: 1 },
  ],
};
const edge = { start: true, end: true };

describe('the grid of a decision table', () => {
  it('shows any config, with a cell for each column', () => {
    expect(readGrid(table).rows[1]).toEqual({ when: ['>= 10'], then: ['"large"'], note: 'the rest' });
    expect(readGrid({ inputs: [{}, 3], outputs: [{ name: 'a' }], rules: [{ when: [1], then: 'x' }, null] }).rows).toEqual([
      { when: ['', ''], then: [''], note: '' },
      { when: ['', ''], then: [''], note: '' },
    ]);
    expect(readGrid({})).toEqual({ inputs: [], outputs: [], rows: [], fallback: null, tests: [] });
  });

  it('gives every rule a cell for a new column, and takes it away again', () => {
    const wider = addInput(table);
    expect(readGrid(wider).rows.map((row) => row.when)).toEqual([['< 10', '-'], ['>= 10', '-']]);
    expect(removeInput(wider, 1)).toEqual(table);
    const more = addOutput(setFallback(table, true), 'size');
    expect(readGrid(more).outputs.map((one) => one.value)).toEqual(['size', 'size_2']);
    expect(readGrid(more).fallback).toEqual(['', '']);
    expect(removeOutput(more, 1)).toEqual(setFallback(table, true));
  });

  it('puts in, moves and takes away rules and keeps what it does not know', () => {
    expect(readGrid(addRule(table, 1)).rows[1]).toEqual({ when: ['-'], then: [''], note: '' });
    const moved = moveRule(table, 1, 0) as typeof table;
    expect(moved.rules[0]).toBe(table.rules[1]);
    expect(moveRule(table, 1, 2)).toBe(table);
    expect(removeRule(table, 0)).toEqual({ ...table, rules: [table.rules[1]] });
    expect(setFallback(setFallback(table, true), false)).toEqual({ ...table, default: null });
  });

  it('leads from cell to cell by keys, and stays at the rim', () => {
    const grid = readGrid(setFallback(table, true));
    expect(neighbour('ArrowDown', { row: 0, column: 0 }, grid, edge)).toEqual({ row: 1, column: 0 });
    expect(neighbour('Enter', { row: 1, column: 1 }, grid, edge)).toEqual({ row: 2, column: 1 });
    expect(neighbour('ArrowDown', { row: 1, column: 0 }, grid, edge)).toBeNull();
    expect(neighbour('ArrowUp', { row: 0, column: 0 }, grid, edge)).toBeNull();
    expect(neighbour('ArrowRight', { row: 0, column: 0 }, grid, edge)).toEqual({ row: 0, column: 1 });
    expect(neighbour('ArrowRight', { row: 0, column: 0 }, grid, { start: true, end: false })).toBeNull();
    expect(neighbour('ArrowLeft', { row: 0, column: 1 }, grid, edge)).toEqual({ row: 0, column: 0 });
    expect(neighbour('a', { row: 0, column: 0 }, grid, edge)).toBeNull();
  });

  it('knows the field behind a cell', () => {
    const grid = readGrid(setFallback(table, true));
    expect(pathOfCell({ row: 1, column: 0 }, grid)).toEqual(['rules', 1, 'when', 0]);
    expect(pathOfCell({ row: 1, column: 1 }, grid)).toEqual(['rules', 1, 'then', 0]);
    expect(pathOfCell({ row: 2, column: 1 }, grid)).toEqual(['default', 0]);
  });
});
