/** What a person does who has a mouse: it is moved, pressed and let go; keys only write words. */
import type { Locator, Page } from 'playwright-core';
import { EMAIL, hasFocus } from './shared';

export type At = [x: number, y: number];

export function pointerOf(page: Page) {
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
  /** Over what is meant; what a check has to say may come between, and the eye follows. */
  const hover = async (of: Locator): Promise<void> => {
    let at: At | null = null;
    for (let now = await middle(of); at?.[0] !== now[0] || at[1] !== now[1]; now = await middle(of)) {
      at = now;
      await mouse.move(...at, { steps: 4 });
    }
  };
  const press = async (of: Locator | At) => {
    if (Array.isArray(of)) await mouse.move(...of, { steps: 4 });
    else await hover(of);
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
    await hover(field);
    for (const clickCount of [1, 2, 3]) {
      await mouse.down({ clickCount });
      await mouse.up({ clickCount });
    }
    await page.keyboard.type(text);
  };
  /** Turn the wheel over a part of the page until something in it can be pressed. */
  const reveal = async (of: Locator, within = form): Promise<Locator> => {
    await of.waitFor({ state: 'attached' });
    const height = page.viewportSize()?.height ?? 1000;
    const free = (box: { y: number; height: number }) => box.y >= 150 && box.y + box.height <= height - 150;
    for (let times = 0; times < 40; times += 1) {
      const box = await of.boundingBox();
      if (!box || free(box)) break;
      if (times === 0) await mouse.move(...(await middle(within)));
      await mouse.wheel(0, Math.sign(box.y - height / 2) * Math.min(300, Math.abs(box.y - height / 2)));
      await page.waitForTimeout(60);
      // At the end of what can be turned, it stays where it is.
      if ((await of.boundingBox())?.y === box.y) break;
    }
    return of;
  };

  const form = page.getByRole('complementary', { name: 'Form' });
  const card = (title: string) => page.locator('.react-flow__node').filter({ has: page.getByText(title, { exact: true }) });
  const palette = page.getByRole('complementary', { name: 'Steps' });

  return {
    middle,
    press,
    drag,
    write,
    reveal,
    form,
    card,
    port: (title: string, name: string) => card(title).locator(`.react-flow__handle[data-handleid="${name}"]`),
    title: async (text: string) => {
      await write(form.getByRole('textbox', { name: 'Title' }), text);
      await hasFocus(page, 'textbox', 'Title');
      await card(text).waitFor();
    },
    carry: async (type: string, to: At) => drag(await middle(await reveal(palette.getByRole('button', { name: type, exact: true }), palette)), to),
    /** In a list that is open. */
    choose: async (list: string | RegExp, term: string) => {
      await hasFocus(page, 'combobox', list);
      await page.keyboard.type(term);
      await press(page.getByRole('option', { selected: true }).filter({ hasText: term }));
    },
    beside: async (of: Locator, x: number, y: number): Promise<At> => {
      const at = await middle(of);
      return [at[0] + x, at[1] + y];
    },

    signIn: async (url: string, password: string) => {
      await page.goto(`${url}/sign-in/`);
      await press(page.getByRole('textbox', { name: /mail/i }));
      await hasFocus(page, 'textbox', /mail/i);
      await page.keyboard.type(EMAIL);
      await press(page.getByLabel(/password/i));
      await page.keyboard.type(password);
      await press(page.getByRole('button', { name: /sign in/i }));
    },

    newFlow: async (name: string) => {
      await press(page.getByRole('button', { name: 'New flow' }));
      await hasFocus(page, 'textbox', 'Name');
      await page.keyboard.type(name);
      await press(page.getByRole('button', { name: 'Create flow' }));
      await card('By hand').waitFor();
    },
  };
}
