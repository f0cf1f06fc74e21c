/** The demo flow, built with the keys alone: nothing here but `page.keyboard` touches the page. */
import type { Page } from 'playwright-core';
import { keysOf } from './keys';
import { exported, hasFocus, NAME, said, saved, TITLES } from './shared';

export async function buildByKeyboard(page: Page, url: string, password: string): ReturnType<typeof exported> {
  const { press, tabTo, type, choose, begin, leave, signIn, newFlow, command } = keysOf(page);

  /** Give the focused step a title in its form, and come back to it. */
  const title = async (text: string) => {
    await begin(text);
    await leave(text);
  };

  await signIn(url, password);
  await newFlow(NAME);

  // On the canvas the name of the first step is simply typed; it comes behind the start.
  await tabTo('application', /^Empty flow\./);
  await type('D');
  await choose('Add a step', 'ecide');
  await hasFocus(page, 'group', /^Decide, Decide\..*2 of 2\. After Trigger/);
  await title(TITLES.decide);

  // By its ways out: each has a name of its own.
  await press('p');
  await hasFocus(page, 'button', `Port yes of ${TITLES.decide}, not connected`);
  await press('Enter');
  await choose('Add a step', 'Approval');
  await hasFocus(page, 'group', /^Approval, Approval/);
  await title(TITLES.approval);
  await press('ArrowLeft');
  await hasFocus(page, 'group', /^Large order\?, Decide.*Then Approve the order/);
  await press('p', 'ArrowDown');
  await hasFocus(page, 'button', `Port no of ${TITLES.decide}, not connected`);
  await press('Enter');
  await choose('Add a step', 'Map');
  await hasFocus(page, 'group', /^Map, Map/);
  await title(TITLES.map);
  await press('a');
  await choose('Add a step', 'Stop');
  await hasFocus(page, 'group', /^Stop, Stop/);
  await title(TITLES.done);

  // Back along the links, up to the other branch, and a link from there.
  await press('ArrowLeft');
  await hasFocus(page, 'group', /^Note the order, Map/);
  await press('ArrowUp');
  await hasFocus(page, 'group', /^Approve the order, Approval/);
  await press('p');
  await hasFocus(page, 'button', `Port approved of ${TITLES.approval}, not connected`);
  await press('c');
  await choose(`Connect ${TITLES.approval} to`, TITLES.map);
  await hasFocus(page, 'group', /^Note the order, Map.*After Large order\?, Approve the order/);
  await press('ArrowUp');
  await hasFocus(page, 'group', /^Approve the order, Approval/);
  await press('p', 'ArrowDown');
  await hasFocus(page, 'button', `Port rejected of ${TITLES.approval}, not connected`);
  await press('Enter');
  await choose('Add a step', 'Stop');
  await hasFocus(page, 'group', /^Stop, Stop/);
  await title(TITLES.refused);

  // Into a link, out again: what stood around is joined. And back and forth in the history.
  await press('Home');
  await hasFocus(page, 'group', /^By hand, Trigger/);
  await press('p', 'ArrowRight');
  await hasFocus(page, 'button', /^Link from .* to Large order\?/);
  await press('Enter');
  await choose('Add a step', 'Delay');
  await hasFocus(page, 'group', /^Delay, Delay.*After Trigger\. Then Large order\?/);
  await press('Delete');
  await said(page, 'Delete Delay');
  await press('Control+z');
  await said(page, 'Undone: Delete Delay');
  await press('Control+Shift+Z');
  await said(page, 'Redone: Delete Delay');
  await saved(page);

  const download = page.waitForEvent('download');
  await command('Export', 'Export as a file');
  return exported(await download);
}
