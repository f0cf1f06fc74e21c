import type { PathNode } from '../../document/paths';

/** How a text field holds FEEL: behind a leading `=`, while `==` is a literal `=`. */
export const isExpression = (text: string): boolean => text.startsWith('=') && !text.startsWith('==');

export const expressionOf = (text: string): string => (isExpression(text) ? text.slice(1).replace(/^ /, '') : text);

export const asExpression = (expression: string): string => `= ${expression.trimStart()}`;

/** The text that a plain field stands for, and back. */
export const readText = (stored: string): string => (stored.startsWith('==') ? stored.slice(1) : stored);
export const writeText = (text: string): string => (text.startsWith('=') ? `=${text}` : text);

const ESCAPES: Record<string, string> = { '\\': '\\\\', '"': '\\"', '\n': '\\n', '\t': '\\t', '\r': '\\r' };

export const feelText = (text: string): string => `"${text.replace(/[\\"\n\t\r]/g, (sign) => ESCAPES[sign] ?? sign)}"`;

/** The text of a FEEL text literal, or `null` where the expression is something else. */
export function literalText(expression: string): string | null {
  const found = /^"((?:[^"\\]|\\.)*)"$/s.exec(expression.trim());
  if (!found) return null;
  const back: Record<string, string> = { n: '\n', t: '\t', r: '\r' };
  return (found[1] ?? '').replace(/\\(.)/gs, (_whole, sign: string) => back[sign] ?? sign);
}

/** A path put behind a text that is there: the two become one expression. */
export function textWithPath(text: string, node: PathNode): string {
  const path = node.path;
  if (text === '') return asExpression(path);
  const part = node.type === 'text' ? path : `string(${path})`;
  return asExpression(`${feelText(text)} + ${part}`);
}
