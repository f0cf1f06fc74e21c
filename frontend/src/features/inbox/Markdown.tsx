import type { ReactNode } from 'react';
import classes from './Markdown.module.css';

const INLINE = /(\*\*[^*]+\*\*|\*[^*]+\*|`[^`]+`)/g;

function inline(text: string): ReactNode[] {
  return text.split(INLINE).map((part, index) => {
    if (part.startsWith('**') && part.length > 4) return <strong key={index}>{part.slice(2, -2)}</strong>;
    if (part.startsWith('`') && part.length > 2) return <code key={index}>{part.slice(1, -1)}</code>;
    if (part.startsWith('*') && part.length > 2) return <em key={index}>{part.slice(1, -1)}</em>;
    return part;
  });
}

function block(lines: string[], key: number): ReactNode {
  const heading = /^#{1,3}\s+(.*)$/.exec(lines[0] ?? '');
  if (heading && lines.length === 1) return <h4 key={key}>{inline(heading[1] ?? '')}</h4>;
  if (lines.every((line) => /^\s*[-*]\s+/.test(line))) {
    return <ul key={key}>{lines.map((line, index) => <li key={index}>{inline(line.replace(/^\s*[-*]\s+/, ''))}</li>)}</ul>;
  }
  if (lines.every((line) => /^\s*\d+[.)]\s+/.test(line))) {
    return <ol key={key}>{lines.map((line, index) => <li key={index}>{inline(line.replace(/^\s*\d+[.)]\s+/, ''))}</li>)}</ol>;
  }
  return <p key={key}>{inline(lines.join('\n'))}</p>;
}

/** Paragraphs, headings, lists, strong, emphasis, code. Links and HTML stay the text they are. */
export function Markdown({ text }: { text: string }) {
  const blocks = text.replaceAll('\r\n', '\n').split(/\n\s*\n/).map((one) => one.split('\n').filter((line) => line.trim() !== ''));
  return <div className={classes.text}>{blocks.filter((lines) => lines.length > 0).map(block)}</div>;
}
