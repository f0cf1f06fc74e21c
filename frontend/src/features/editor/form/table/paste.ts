import { feelText } from '../feel/text';
import { addRule, ANYTHING, pathOfCell, readGrid } from './grid';
import type { Cell } from './grid';
import { setAt } from '../schema';

type Config = Record<string, unknown>;

/** More rows than a table may have are never pasted. */
const MOST_ROWS = 1000;

/** The lines of a text with separators; what stands in quotes may hold separators and line breaks. */
function lines(text: string, separator: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = '';
  let isQuoted = false;
  const endRow = () => { rows.push([...row, cell]); row = []; cell = ''; };
  for (let at = 0; at < text.length; at += 1) {
    const sign = text[at] ?? '';
    if (isQuoted) {
      if (sign !== '"') cell += sign;
      else if (text[at + 1] === '"') { cell += '"'; at += 1; }
      else isQuoted = false;
    } else if (sign === '"' && cell === '') isQuoted = true;
    else if (sign === separator) { row.push(cell); cell = ''; }
    else if (sign === '\n') endRow();
    else cell += sign;
  }
  if (cell !== '' || row.length > 0) endRow();
  return rows;
}

/**
 * The cells of what was copied from a spreadsheet: by tabs, or several lines by semicolons or commas.
 * `null` is an ordinary text, such as the cell `"gold", "silver"`.
 */
export function readCells(copied: string): string[][] | null {
  const text = copied.replace(/\r\n?/g, '\n').replace(/\n+$/, '');
  if (text.includes('\t')) return lines(text, '\t');
  if (!text.includes('\n')) return null;
  for (const separator of [';', ',']) {
    const rows = lines(text, separator);
    const width = rows[0]?.length ?? 0;
    if (width > 1 && rows.every((one) => one.length === width)) return rows;
  }
  return text.split('\n').map((one) => [one]);
}

const NUMBER = /^-?\d+(\.\d+)?$/;
const COMMA = /^-?\d+,\d+$/;
/** What is FEEL already: a literal, a test, a list of them, a call. */
const FEEL = /^(-|true|false|null|[<>=!"[\](]|not\s*\(|\d|[\p{L}_][\p{L}\p{N}_ ]*\(|trigger\.|steps\.|item\b)/u;

/** A cell of a spreadsheet as a cell of the table: plain words become texts. */
export function asCell(copied: string, isResult: boolean): string {
  const text = copied.trim();
  if (text === '') return isResult ? '' : ANYTHING;
  if (NUMBER.test(text)) return text;
  if (COMMA.test(text)) return text.replace(',', '.');
  return FEEL.test(text) ? text : feelText(text);
}

/** Whether a line only repeats the headings of the table. */
function isHeading(row: string[], at: Cell, config: Config): boolean {
  const { inputs, outputs } = readGrid(config);
  const heads = [...inputs.map((one) => [one.label, one.value]), ...outputs.map((one) => [one.label, one.value])];
  return row.length > 1 && row.every((cell, index) => cell.trim() !== '' && heads[at.column + index]?.includes(cell.trim()));
}

export interface Pasted {
  config: Config;
  rows: number;
  /** Columns for which the table had no room. */
  left: number;
}

/** The table with cells put in from a place on; rules are added where they are needed. */
export function pasteCells(config: Config, at: Cell, cells: string[][]): Pasted {
  const { inputs, outputs } = readGrid(config);
  const width = inputs.length + outputs.length;
  const first = cells[0];
  const rows = (first && isHeading(first, at, config) ? cells.slice(1) : cells).slice(0, MOST_ROWS);
  let next = config;
  rows.forEach((row, down) => {
    const number = at.row + down;
    if (number >= readGrid(next).rows.length) next = addRule(next, number);
    row.forEach((cell, right) => {
      const column = at.column + right;
      if (column >= width) return;
      next = setAt(next, pathOfCell({ row: number, column }, readGrid(next)), asCell(cell, column >= inputs.length)) as Config;
    });
  });
  const widest = Math.max(0, ...rows.map((row) => row.length));
  return { config: next, rows: rows.length, left: Math.max(0, at.column + widest - width) };
}
