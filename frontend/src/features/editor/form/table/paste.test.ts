import { describe, expect, it } from 'vitest';
import { addInput, addOutput, addTest, readGrid, removeInput, removeOutput, removeTest } from './grid';
import { asCell, pasteCells, readCells } from './paste';

const table = {
  inputs: [{ label: 'Amount', expression: 'trigger.body.amount' }, { label: 'Tier', expression: 'trigger.body.tier' }],
  outputs: [{ name: 'fee' }],
  rules: [{ when: ['< 10', '-'], then: ['1'], note: 'kept' }],
};

describe('cells from a spreadsheet', () => {
  it('are told by tabs, or by semicolons or commas over several lines', () => {
    expect(readCells('a\tb\r\nc\td\r\n')).toEqual([['a', 'b'], ['c', 'd']]);
    expect(readCells('a;b\nc;d')).toEqual([['a', 'b'], ['c', 'd']]);
    expect(readCells('"x, y",2\n"say ""hi""",3')).toEqual([['x, y', '2'], ['say "hi"', '3']]);
    expect(readCells('"two\nlines"\tb')).toEqual([['two\nlines', 'b']]);
    expect(readCells('< 10\n>= 10')).toEqual([['< 10'], ['>= 10']]);
    expect(readCells('a,b\nc')).toEqual([['a,b'], ['c']]);
  });

  it('leave an ordinary text alone', () => {
    expect(readCells('"gold", "silver"')).toBeNull();
    expect(readCells('> 10\n')).toBeNull();
    expect(readCells('')).toBeNull();
  });

  it.each([
    ['', false, '-'], ['', true, ''], ['10', false, '10'], ['1,5', true, '1.5'], ['gold', false, '"gold"'], ['A "b"', true, '"A \\"b\\""'],
    ['>= 10', false, '>= 10'], ['[1..5]', false, '[1..5]'], ['"gold"', true, '"gold"'], ['not("a")', false, 'not("a")'], ['true', true, 'true'], ['date("2026-01-01")', true, 'date("2026-01-01")'], ['-', false, '-'],
  ] as const)('become cells of the table: %j', (copied, isResult, cell) => {
    expect(asCell(copied, isResult)).toBe(cell);
  });

  it('fill the table from a cell on, with new rules where they are needed', () => {
    const pasted = pasteCells(table, { row: 0, column: 1 }, [['gold', '2', 'too much'], ['', '3']]);
    expect(pasted.rows).toBe(2);
    expect(pasted.left).toBe(1);
    expect(readGrid(pasted.config).rows).toEqual([
      { when: ['< 10', '"gold"'], then: ['2'], note: 'kept' },
      { when: ['-', '-'], then: ['3'], note: '' },
    ]);
  });

  it('leave out a line that repeats the headings', () => {
    const pasted = pasteCells(table, { row: 0, column: 0 }, [['Amount', 'Tier', 'fee'], ['> 1', 'x', '9']]);
    expect(readGrid(pasted.config).rows).toEqual([{ when: ['> 1', '"x"'], then: ['9'], note: 'kept' }]);
  });
});

describe('test rows', () => {
  it('keep a cell for each column', () => {
    const one = addTest(table);
    expect(readGrid(one).tests).toEqual([{ given: ['', ''], expect: [''] }]);
    expect(readGrid(addInput(one)).tests[0]?.given).toHaveLength(3);
    expect(readGrid(removeInput(one, 0)).tests[0]?.given).toHaveLength(1);
    expect(readGrid(addOutput(one, 'x')).tests[0]?.expect).toHaveLength(2);
    expect(readGrid(removeOutput(one, 0)).tests[0]?.expect).toHaveLength(0);
    expect(readGrid(removeTest(one, 0)).tests).toEqual([]);
    expect('tests' in addInput(table)).toBe(false);
  });
});
