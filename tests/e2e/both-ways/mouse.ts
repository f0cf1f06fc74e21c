/** The demo flow, built with the mouse: it is moved, pressed and let go; keys only write words. */
import type { Page } from 'playwright-core';
import { pointerOf } from './pointer';
import { exported, hasFocus, NAME, said, saved, TITLES } from './shared';

export async function buildByMouse(page: Page, url: string, password: string): ReturnType<typeof exported> {
  const { middle, press, drag, form, card, port, title, carry, choose, beside, signIn, newFlow } = pointerOf(page);

  await signIn(url, password);
  await newFlow(NAME);
  for (let times = 0; times < 3; times += 1) await press(page.getByRole('button', { name: 'Zoom out', exact: true }));
  // Room to the right of the start.
  await drag(await middle(card('By hand')), [360, 420]);
  await hasFocus(page, 'group', /^By hand, Trigger/);

  // From the palette onto the canvas, and a link drawn to it.
  await carry('Decide', [560, 420]);
  await title(TITLES.decide);
  await drag(await middle(port('By hand', 'done')), await middle(card(TITLES.decide)));
  await said(page, /^Connect By hand to Large order\?/);

  // By the + of a way out.
  await press(card(TITLES.decide).getByRole('button', { name: `Add a step behind yes of ${TITLES.decide}` }));
  await choose('Add a step', 'Approval');
  await hasFocus(page, 'group', /^Approval, Approval/);
  await title(TITLES.approval);
  await drag(await middle(card(TITLES.approval)), [800, 320]);

  // A way out let go on the open canvas asks what shall come there.
  await drag(await middle(port(TITLES.decide, 'no')), await beside(card(TITLES.decide), 240, 160));
  await choose('Add a step', 'Map');
  await hasFocus(page, 'group', /^Map, Map/);
  await title(TITLES.map);
  await carry('Stop', await beside(card(TITLES.map), 230, 60));
  await title(TITLES.done);
  await drag(await middle(port(TITLES.map, 'done')), await middle(card(TITLES.done)));
  await said(page, `Connect ${TITLES.map} to ${TITLES.done}`);
  await drag(await middle(port(TITLES.approval, 'approved')), await middle(card(TITLES.map)));
  await said(page, `Connect ${TITLES.approval} to ${TITLES.map}`);
  await carry('Stop', await beside(card(TITLES.approval), 240, -80));
  await title(TITLES.refused);
  await drag(await middle(port(TITLES.approval, 'rejected')), await middle(card(TITLES.refused)));
  await said(page, `Connect ${TITLES.approval} to ${TITLES.refused}`);

  // Let go on a link, and taken out again: what stood around is joined. And back and forth.
  const start = await middle(card('By hand'));
  const end = await middle(card(TITLES.decide));
  await carry('Delay', [(start[0] + end[0]) / 2, (start[1] + end[1]) / 2]);
  await said(page, /^Insert Delay between/);
  await press(form.getByRole('button', { name: 'Delete' }).first());
  await said(page, 'Delete Delay');
  await press(page.getByRole('button', { name: 'Undo: Delete Delay' }));
  await hasFocus(page, 'button', /^Undo: /);
  await press(page.getByRole('button', { name: 'Redo: Delete Delay' }));
  await said(page, 'Redone: Delete Delay');
  await saved(page);

  await press(page.getByRole('button', { name: 'More for this flow' }));
  const download = page.waitForEvent('download');
  await press(page.getByRole('menuitem', { name: 'Export as a file' }));
  return exported(await download);
}
