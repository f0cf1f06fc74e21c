/** The demo flow, built with the mouse: it is moved, pressed and let go; keys only write words. */
import type { Locator, Page } from 'playwright-core';
import { EMAIL, exported, hasFocus, NAME, said, saved, TITLES } from './shared';

type At = [x: number, y: number];

export async function buildByMouse(page: Page, url: string, password: string): ReturnType<typeof exported> {
  const { mouse } = page;

  const middle = async (of: Locator): Promise<At> => {
    await of.waitFor();
    // What has just opened may still be on its way to its place.
    let box = await of.boundingBox();
    for (let last: typeof box = null; !box || last?.x !== box.x || last.y !== box.y; ) {
      last = box;
      await page.waitForTimeout(60);
      box = await of.boundingBox();
    }
    return [box.x + box.width / 2, box.y + box.height / 2];
  };
  const press = async (of: Locator | At) => {
    await mouse.move(...(Array.isArray(of) ? of : await middle(of)), { steps: 4 });
    await mouse.down();
    await mouse.up();
  };
  const drag = async (from: At, to: At) => {
    await mouse.move(...from);
    await mouse.down();
    await mouse.move(from[0] + 8, from[1] + 4, { steps: 4 });
    await mouse.move(...to, { steps: 14 });
    await mouse.up();
  };
  /** Write over what a field holds: three presses mark it. */
  const write = async (field: Locator, text: string) => {
    const [x, y] = await middle(field);
    await mouse.move(x, y);
    for (const clickCount of [1, 2, 3]) {
      await mouse.down({ clickCount });
      await mouse.up({ clickCount });
    }
    await page.keyboard.type(text);
  };

  const form = page.getByRole('complementary', { name: 'Form' });
  const card = (title: string) => page.locator('.react-flow__node').filter({ has: page.getByText(title, { exact: true }) });
  const port = (title: string, name: string) => card(title).locator(`.react-flow__handle[data-handleid="${name}"]`);
  const palette = page.getByRole('complementary', { name: 'Steps' });
  const title = async (text: string) => {
    await write(form.getByRole('textbox', { name: 'Title' }), text);
    await hasFocus(page, 'textbox', 'Title');
    await card(text).waitFor();
  };
  const carry = async (type: string, to: At) => drag(await middle(palette.getByRole('button', { name: type, exact: true })), to);
  /** In a list that is open. */
  const choose = async (list: string | RegExp, term: string) => {
    await hasFocus(page, 'combobox', list);
    await page.keyboard.type(term);
    await press(page.getByRole('option', { selected: true }).filter({ hasText: term }));
  };
  const beside = async (of: Locator, x: number, y: number): Promise<At> => {
    const at = await middle(of);
    return [at[0] + x, at[1] + y];
  };

  await page.goto(`${url}/sign-in/`);
  await press(page.getByRole('textbox', { name: /mail/i }));
  await hasFocus(page, 'textbox', /mail/i);
  await page.keyboard.type(EMAIL);
  await press(page.getByLabel(/password/i));
  await page.keyboard.type(password);
  await press(page.getByRole('button', { name: /sign in/i }));

  await press(page.getByRole('button', { name: 'New flow' }));
  await hasFocus(page, 'textbox', 'Name');
  await page.keyboard.type(NAME);
  await press(page.getByRole('button', { name: 'Create flow' }));
  await card('By hand').waitFor();
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
