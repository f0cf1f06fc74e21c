import { expressionLanguage } from '@bpmn-io/lang-feel';
import { literalText } from '../feel/text';
import { DEEPEST, emptyGroup, isComplete } from './model';
import type { Compare, Condition, Group, Operand, Operator, Value } from './model';

const SIGNS: Record<string, Operator> = { '=': 'eq', '!=': 'ne', '<': 'lt', '<=': 'le', '>': 'gt', '>=': 'ge' };
const CALLS: Record<string, Operator> = { contains: 'contains', 'starts with': 'starts', 'ends with': 'ends' };
const NEGATED: Partial<Record<Operator, Operator>> = {
  contains: 'not_contains', starts: 'not_starts', ends: 'not_ends', in: 'not_in', holds: 'fails', defined: 'undefined',
};

type SyntaxNode = ReturnType<typeof expressionLanguage.parser.parse>['topNode'];

interface Source {
  text: string;
}

const slice = (source: Source, node: SyntaxNode): string => source.text.slice(node.from, node.to);

function children(node: SyntaxNode): SyntaxNode[] {
  const found: SyntaxNode[] = [];
  for (let child = node.firstChild; child; child = child.nextSibling) found.push(child);
  return found;
}

/** The grammar takes "or" and "else" in this name for words of its own; of equal length, so that places stay. */
const masked = (text: string): string => text.replace(/\bget or else(?=\s*\()/g, 'get_or_else');

/** The condition that an expression stands for, or `null` where it says more than can be put together by choosing. */
export function readCondition(text: string): Group | null {
  if (text.trim() === '' || text.trim() === 'true') return emptyGroup();
  const tree = expressionLanguage.parser.parse(masked(text));
  let isBroken = false;
  tree.iterate({ enter: (node) => { isBroken ||= node.type.isError || /Comment/.test(node.name); } });
  const expressions = children(tree.topNode);
  const [only] = expressions;
  if (isBroken || !only || expressions.length > 1) return null;
  const found = condition({ text }, only, 0);
  if (!found) return null;
  return found.kind === 'group' ? found : { kind: 'group', join: 'and', parts: [found] };
}

function condition(source: Source, node: SyntaxNode, depth: number): Condition | null {
  if (depth > DEEPEST) return null;
  switch (node.name) {
    case 'ParenthesizedExpression': {
      const inner = node.firstChild?.nextSibling;
      return inner ? condition(source, inner, depth) : null;
    }
    case 'Conjunction':
    case 'Disjunction':
      return group(source, node, depth);
    default: {
      const found = compare(source, node);
      return found && isComplete(found) ? found : null;
    }
  }
}

function group(source: Source, node: SyntaxNode, depth: number): Group | null {
  const parts: Condition[] = [];
  for (const part of operands(node, node.name)) {
    const found = condition(source, part, depth + 1);
    if (!found) return null;
    parts.push(found);
  }
  return { kind: 'group', join: node.name === 'Conjunction' ? 'and' : 'or', parts };
}

/** `a and b and c` is read from the left as `(a and b) and c`, and is one group of three. */
function operands(node: SyntaxNode, name: string): SyntaxNode[] {
  return children(node)
    .filter((child) => child.name !== 'and' && child.name !== 'or')
    .flatMap((child) => (child.name === name ? operands(child, name) : [child]));
}

function compare(source: Source, node: SyntaxNode): Compare | null {
  if (node.name === 'Comparison') return comparison(source, node);
  if (node.name === 'FunctionInvocation') {
    const called = call(source, node);
    if (called) return called;
  }
  const left = operand(source, node);
  return left && !left.cast ? { kind: 'compare', left, op: 'holds', values: [] } : null;
}

function comparison(source: Source, node: SyntaxNode): Compare | null {
  const [first, sign, ...rest] = children(node);
  const left = first && operand(source, first);
  if (!left || !sign) return null;
  if (sign.name === 'CompareOp') {
    const op = SIGNS[slice(source, sign)];
    const value = rest[0] && valueOf(source, rest[0]);
    return op && value && rest.length === 1 ? { kind: 'compare', left, op, values: [value] } : null;
  }
  if (sign.name === 'between') {
    const [low, high] = rest.filter((one) => one.name !== 'and').map((one) => valueOf(source, one));
    return low && high ? { kind: 'compare', left, op: 'between', values: [low, high] } : null;
  }
  if (sign.name !== 'in') return null;
  const values = listed(rest).map((one) => (one ? valueOf(source, one) : null));
  const all = values.filter((one) => one !== null);
  return all.length === values.length && all.length > 0 ? { kind: 'compare', left, op: 'in', values: all } : null;
}

/** What stands in the brackets behind `in`; a single value is a test of its own there. */
function listed(nodes: SyntaxNode[]): (SyntaxNode | null)[] {
  const tests = nodes.find((one) => one.name === 'PositiveUnaryTests');
  if (tests) return children(tests).map((test) => (test.name === 'PositiveUnaryTest' ? test.firstChild : null));
  const [only] = nodes;
  const bracket = only?.name === 'PositiveUnaryTest' ? only.firstChild : null;
  return bracket?.name === 'ParenthesizedExpression' ? [bracket.firstChild?.nextSibling ?? null] : [];
}

/** The name and the arguments of a call. */
function callee(source: Source, node: SyntaxNode): { name: string; given: SyntaxNode[] } | null {
  const [name, ...rest] = children(node);
  const given = rest.find((one) => one.name === 'PositionalParameters');
  return name?.name === 'VariableName' && given ? { name: slice(source, name).replace(/\s+/g, ' '), given: children(given) } : null;
}

function call(source: Source, node: SyntaxNode): Compare | null {
  const called = callee(source, node);
  const [first, second, third] = called?.given ?? [];
  if (!called || !first || third) return null;
  if (called.name === 'not' && !second) {
    const inner = compare(source, first);
    const op = inner && NEGATED[inner.op];
    return inner && op ? { ...inner, op } : null;
  }
  const left = operand(source, first);
  if (!left || left.cast) return null;
  if (called.name === 'is defined') return second || left.fallback ? null : { kind: 'compare', left, op: 'defined', values: [] };
  const op = CALLS[called.name];
  const value = second && valueOf(source, second);
  return op && value && (value.kind === 'text' || value.kind === 'path') ? { kind: 'compare', left, op, values: [value] } : null;
}

/** What is read, with what is made of it first. */
function operand(source: Source, node: SyntaxNode): Operand | null {
  if (isPath(source, node)) return { path: slice(source, node) };
  const called = castOf(source, node) ?? (node.name === 'FunctionInvocation' ? callee(source, node) : null);
  const [first, second, third] = called?.given ?? [];
  if (!called || !first || third) return null;
  if (called.name === 'date' || called.name === 'number') {
    const inner = second ? null : operand(source, first);
    return inner && !inner.cast ? { ...inner, cast: called.name } : null;
  }
  if (called.name !== 'get or else' || !second || !isPath(source, first)) return null;
  const fallback = valueOf(source, second);
  return fallback && fallback.kind !== 'path' ? { path: slice(source, first), fallback: fallback } : null;
}

/** `date(…)` is a literal to the grammar. */
function castOf(source: Source, node: SyntaxNode): { name: string; given: SyntaxNode[] } | null {
  if (node.name !== 'DateTimeLiteral') return null;
  const [name, ...rest] = children(node);
  const given = rest.find((one) => one.name === 'PositionalParameters');
  return name && given ? { name: slice(source, name), given: children(given) } : null;
}

function isPath(source: Source, node: SyntaxNode): boolean {
  switch (node.name) {
    case 'VariableName':
      return true;
    case 'PathExpression':
      return node.firstChild !== null && isPath(source, node.firstChild);
    case 'FilterExpression': {
      const [list, , index] = children(node);
      return list !== undefined && index?.name === 'NumericLiteral' && isPath(source, list);
    }
    case 'FunctionInvocation': {
      const called = callee(source, node);
      const [context, name, more] = called?.given ?? [];
      return called?.name === 'get value' && !more && context !== undefined && isPath(source, context) && name?.name === 'StringLiteral';
    }
    default:
      return false;
  }
}

function valueOf(source: Source, node: SyntaxNode): Value | null {
  const text = slice(source, node);
  switch (node.name) {
    case 'StringLiteral': {
      const literal = literalText(text);
      return literal === null ? null : { kind: 'text', text: literal };
    }
    case 'NumericLiteral':
      return { kind: 'number', text: text.replace(/\s+/g, '') };
    case 'BooleanLiteral':
      return { kind: 'boolean', value: text === 'true' };
    case 'DateTimeLiteral': {
      const day = /^date\(\s*"(\d{4}-\d{2}-\d{2})"\s*\)$/.exec(text);
      return day?.[1] ? { kind: 'date', text: day[1] } : null;
    }
    default:
      return isPath(source, node) ? { kind: 'path', path: text } : null;
  }
}
