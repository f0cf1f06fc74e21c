import { describe, expect, it } from 'vitest';
import { sampleFlow, types } from '../document/fixtures';
import { outlineRows } from './rows';

const lines = (doc = sampleFlow()) =>
  outlineRows(doc, types).map((row) => `${'  '.repeat(row.level - 1)}${row.kind === 'step' ? row.id : row.kind === 'port' ? `${row.port}${row.open ? '?' : ''}:` : row.kind === 'jump' ? `> ${row.to}` : row.kind === 'note' ? row.id : 'loose'}`);

describe('the outline', () => {
  it('shows every step once and says where ways meet again', () => {
    expect(lines()).toEqual(['trigger', 'size', '  large:', '    call', '    end', '  small:', '    note', '    > end']);
  });

  it('shows ways that lead nowhere and steps that nothing leads to', () => {
    const doc = sampleFlow();
    doc.links = doc.links.filter((link) => link.port !== 'small');
    expect(lines(doc)).toEqual(['trigger', 'size', '  large:', '    call', '    end', '  small?:', 'loose', 'note', '> end']);
  });

  it('ends in a flow that goes round', () => {
    const doc = sampleFlow();
    doc.links.push({ from: 'call', port: 'error', to: 'size' });
    expect(lines(doc).filter((line) => line.trim() === 'size')).toHaveLength(1);
    expect(lines(doc)).toContain('        > size');
  });

  it('ends with the notes', () => {
    const doc = { ...sampleFlow(), notes: { 'note:1': { text: 'Ask Ada' } } };
    expect(lines(doc).at(-1)).toBe('note:1');
  });
});
