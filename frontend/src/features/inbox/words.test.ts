import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const FORBIDDEN = /\b(tokens?|payloads?|json|nodes?|step ids?|executions?|instances?|workers?|queues?|null|schemas?|webhooks?|exceptions?|status codes?)\b/i;

it('people who decide never meet a word of the machine', () => {
  const texts = JSON.parse(readFileSync('frontend/src/app/messages/en/inbox.json', 'utf8')) as Record<string, string>;
  const bad = Object.entries(texts).filter(([, text]) => FORBIDDEN.test(text));
  expect(bad).toEqual([]);
});
