import { readFileSync } from 'node:fs';
import type { Download, Locator, Page } from 'playwright-core';
import { expect } from 'vitest';

/** What the two builders share: both look at the page and touch it only by their own means. */
export const EMAIL = 'builder@demo.local';
export const NAME = `Order check ${process.pid}`;
export const TITLES = { decide: 'Large order?', approval: 'Approve the order', map: 'Note the order', done: 'Done', refused: 'Refused' } as const;

export type Role = 'button' | 'textbox' | 'combobox' | 'group' | 'application' | 'treeitem' | 'radio' | 'link' | 'checkbox' | 'spinbutton';

/** Holds when what has the focus has this role and this accessible name. */
export async function hasFocus(page: Page, role: Role, name: string | RegExp): Promise<void> {
  const element: Locator = page.getByRole(role, typeof name === 'string' ? { name, exact: true } : { name }).and(page.locator(':focus'));
  await element.waitFor({ state: 'attached' });
  expect(await element.count()).toBe(1);
}

/** What was said to a screen reader last. */
export const said = (page: Page, text: string | RegExp): Promise<void> => page.getByRole('status', { name: 'What happened' }).filter({ hasText: text }).waitFor({ state: 'attached' });

export const saved = (page: Page): Promise<void> => page.getByRole('status').filter({ hasText: /^Saved$/ }).waitFor();

interface Flow {
  name: string;
  links: { from: string; port?: string; to: string }[];
  layout?: unknown;
  [more: string]: unknown;
}

/** The flow that was exported, without the places of its cards; links have no order. */
export async function exported(download: Download): Promise<Flow> {
  const flow = JSON.parse(readFileSync(await download.path(), 'utf8')) as Flow;
  delete flow.layout;
  flow.links.sort((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)));
  return flow;
}
